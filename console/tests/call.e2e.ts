import { chromium } from '@playwright/test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QUESTION, wavOf } from './server.ts'
import {
  answered,
  BISCAYNE,
  callSomebody,
  expect,
  greeted,
  hangUp,
  mood,
  signIn,
  stored,
  test,
  type,
} from './world.ts'

test('three clicks from the open page to a spoken answer, which is stored', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('button', { name: BISCAYNE }).click() // one
  const name = await callSomebody(page) // two
  await greeted(page)
  const before = Number(await page.getByTestId('call').getAttribute('data-heard-ms'))
  expect(before).toBeGreaterThan(1_000)
  await page.getByRole('button', { name: /three bedroom house/ }).click() // three
  await expect(page.getByTestId('typed-line')).toContainText('spoken for you')
  await answered(page)

  // It is heard: the loudspeaker was given sound, not silence.
  await expect.poll(() => loudness(page)).toBeGreaterThan(0.4)
  await expect
    .poll(async () => Number(await page.getByTestId('call').getAttribute('data-heard-ms')))
    .toBeGreaterThan(before + 500)

  // Both sides are in the transcript, the agent's in step with what is heard.
  await expect(page.getByTestId('caller-line')).toContainText(QUESTION)
  await expect(page.getByTestId('agent-line').nth(1)).toContainText(/\w+/)
  await expect(page.getByTestId('agent-line').nth(1)).toContainText('I found', { timeout: 20_000 })

  // The turn against the two seconds, measured in the page.
  const clock = page.getByTestId('turn-clock')
  await expect(clock).toContainText(/\d\.\d\d s/)
  await expect(clock).toContainText(/first sound heard\s*[\d,]+ ms/)
  await expect(page.getByTestId('agent-line').nth(1).locator('.wait')).toContainText(/\d\.\d\d s/)

  // And the server's own stages, when the turn is stored.
  const id = await hangUp(page)
  await expect(page.getByTestId('summary')).toContainText('You hung up')
  await expect(page.getByTestId('waterfall')).toContainText('endpointing')
  await expect(page.getByTestId('waterfall')).toContainText('caller hears a word')

  await page.getByRole('link', { name: 'Look at the stored call' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toContainText(`Call with ${name}`)
  const turn = page.getByTestId('turn').nth(1)
  await expect(turn).toContainText(QUESTION)
  await expect(turn).toContainText(/first word [\d,]+ ms/)
  await turn.getByText('search_listings').click()
  await expect(turn.locator('.json').first()).toContainText('"bedrooms": 3')
  await turn.getByText('Where the time went', { exact: true }).click()
  await expect(turn.getByTestId('waterfall')).toContainText('first byte of speech')
  const call = await stored(page.request, id)
  expect(call.ended.reason).toBe('caller_hung_up')
  expect(call.turns[1]?.caller_text).toBe(QUESTION)
})

test('typing over the agent stops it, on the page and on record', async ({ page }) => {
  await signIn(page, BISCAYNE)
  await callSomebody(page)
  await greeted(page)
  await type(page, QUESTION)
  const answer = page.getByTestId('agent-line').nth(1)
  await expect(answer).toContainText('I found', { timeout: 20_000 })
  await type(page, 'wait i need four bedrooms')
  await expect(answer).toContainText('(interrupted)', { timeout: 20_000 })
  await expect(answer.locator('del')).not.toBeEmpty()
  await expect(page.getByTestId('caller-line').nth(1)).toContainText('wait i need four bedrooms')
  // The next answer is another turn, and is heard.
  await expect(page.getByTestId('agent-line').nth(2).locator('.wait')).toContainText(/\d\.\d\d s/, {
    timeout: 20_000,
  })
  const id = await hangUp(page)
  const { turns } = await stored(page.request, id)
  const turn = turns.find((one) => one.caller_text === QUESTION)
  expect(turn?.outcome).toBe('interrupted')
  expect(turn?.generated_text).toContain('Which one')
  expect(turn?.heard_text).not.toContain('Which one')
})

test('the interrupt button stops the agent in mid-sentence', async ({ page }) => {
  await signIn(page, BISCAYNE)
  await callSomebody(page)
  const greeting = page.getByTestId('agent-line').first()
  await expect(greeting).toContainText('calling', { timeout: 20_000 })
  await page.getByRole('button', { name: 'Interrupt' }).click()
  await expect(greeting).toContainText('interrupted by you')
  await expect(mood(page)).not.toContainText('is speaking')
  const heard = await page.getByTestId('call').getAttribute('data-heard-ms')
  await page.waitForTimeout(700)
  expect(await page.getByTestId('call').getAttribute('data-heard-ms')).toBe(heard)
  const { turns } = await stored(page.request, await hangUp(page))
  expect(turns[0]?.heard_text).not.toContain('How can I help')
})

test('an agent who says goodbye is heard to the end', async ({ page }) => {
  await signIn(page, BISCAYNE)
  const name = await callSomebody(page)
  await greeted(page)
  await type(page, 'no that is all thank you goodbye')
  await expect(page.getByTestId('summary')).toContainText('The agent ended the call', { timeout: 30_000 })
  await expect(page.getByTestId('agent-line').nth(1)).toContainText(/goodbye/i)
  await expect(page.getByTestId('agent-line').nth(1).locator('del')).toHaveCount(0)
  await page.getByRole('button', { name: `Call ${name} again` }).click()
  await expect(page.getByTestId('agent-line').first()).toContainText('calling', { timeout: 20_000 })
  await hangUp(page)
})

test('a call with nothing but the keyboard', async ({ page }) => {
  await page.goto('/')
  const tabTo = async (name: RegExp): Promise<void> => {
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab')
      const text = await page.evaluate(() => {
        const at = document.activeElement
        return at === null ? '' : `${at.textContent} ${at.getAttribute('placeholder') ?? ''}`
      })
      if (name.test(text)) {
        // What has the focus shows it.
        const outline = await page.evaluate(
          () => getComputedStyle(document.activeElement ?? document.body).outlineStyle,
        )
        expect(outline).not.toBe('none')
        return
      }
    }
    throw new Error(`no ${String(name)} within forty presses`)
  }
  await expect(page.getByRole('button', { name: BISCAYNE })).toBeVisible()
  await tabTo(/Biscayne Bay Homes/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: /^Call / }).first()).toBeVisible()
  await tabTo(/^Call /)
  await page.keyboard.press('Space')
  await greeted(page)
  await tabTo(/Say something/)
  await page.keyboard.type('what are your office hours')
  await page.keyboard.press('Enter')
  await answered(page)
  await expect(page.getByTestId('caller-line').first()).toContainText('what are your office hours')
  await tabTo(/^Hang up/).catch(async () => {
    await page.keyboard.press('Shift+Tab')
  })
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('summary')).toContainText('You hung up')
  // The button that had the focus has gone; it is where one reads on.
  await expect(page.getByRole('heading', { name: 'You hung up' })).toBeFocused()
})

test('sentences are said in the order in which they were typed', async ({ page }) => {
  await signIn(page, BISCAYNE)
  await callSomebody(page)
  await greeted(page)
  let go: () => void = () => undefined
  const held = new Promise<void>((resolve) => (go = resolve))
  await page.route('**/v1/speech', async (route) => {
    if (route.request().postData()?.includes('office') === true) await held
    await route.continue()
  })
  await type(page, 'what are your office hours')
  const second = page.waitForResponse('**/v1/speech')
  await type(page, QUESTION)
  await (await second).finished()
  await page.waitForTimeout(500)
  await expect(page.getByTestId('typed-line').nth(1)).toContainText('is made speech')
  go()
  await expect(page.getByTestId('typed-line').first()).toContainText('is spoken for you')
  await expect(page.getByTestId('caller-line').first()).toContainText('what are your office hours')
  await hangUp(page)
})

test('without a microphone there is a kind word, and typing', async ({ page }) => {
  await signIn(page, BISCAYNE)
  await callSomebody(page)
  await expect(page.getByTestId('agent-line').first()).toContainText('calling', { timeout: 20_000 })
  await page.getByRole('radio', { name: 'Talk' }).click()
  await expect(page.locator('.composer-hint')).toContainText('Type instead')
  await expect(page.getByLabel(/^What to say/)).toBeEnabled()
  await hangUp(page)
})

test('a sentence spoken into a microphone is answered', async ({ server }) => {
  const directory = mkdtempSync(join(tmpdir(), 'seiketsu-microphone-'))
  const path = join(directory, 'question.wav')
  const question = server.question() ?? (await spoken(server.url))
  const [before, after] = [24_000, 24_000 * 8]
  const samples = new Int16Array(before + question.length + after)
  samples.set(question, before)
  writeFileSync(path, wavOf(samples))
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${path}%noloop`,
    ],
  })
  try {
    const page = await browser.newPage({ baseURL: server.url })
    await page.addInitScript(() => localStorage.setItem('microphone-as-it-is', 'yes'))
    await signIn(page, BISCAYNE)
    await callSomebody(page)
    await greeted(page)
    await page.getByRole('radio', { name: 'Talk' }).click()
    await expect(page.getByLabel('Send the microphone as it is')).toBeChecked()
    await expect(page.getByText('The microphone is on.')).toBeVisible()
    await expect.poll(() => loudness(page, '.talk'), { timeout: 10_000 }).toBeGreaterThan(0.3)
    await answered(page)
    await expect(page.getByTestId('caller-line').first()).toContainText(QUESTION)
    await expect(page.locator('.figure')).toContainText(/about\s*\d\.\d\d s/)
    await page.getByRole('button', { name: 'Mute' }).click()
    await expect(page.getByText('The agent does not hear you.')).toBeVisible()
    // It stays so while another page is looked at.
    await page.getByRole('link', { name: 'Calls' }).click()
    await expect(page.getByRole('heading', { name: 'Calls' })).toBeVisible()
    await page.goBack()
    await expect(page.getByRole('radio', { name: 'Talk' })).toBeChecked()
    await expect(page.getByText('The agent does not hear you.')).toBeVisible()
    const { turns } = await stored(page.request, await hangUp(page))
    expect(turns.map((turn) => turn.caller_text)).toContain(QUESTION)
  } finally {
    await browser.close()
    rmSync(directory, { recursive: true, force: true })
  }
})

/** How long the bar of the level is, 0 to 1. */
async function loudness(page: import('@playwright/test').Page, within = '.call-bar'): Promise<number> {
  const style = await page.locator(`${within} .level-bar`).getAttribute('style')
  return Number(/scaleX\(([\d.]+)\)/.exec(style ?? '')?.[1] ?? 0)
}

/** The question as speech of the server. */
async function spoken(url: string): Promise<Int16Array> {
  const headers = { origin: url, 'content-type': 'application/json' }
  const session = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ demo: 'biscayne-bay-homes' }),
  })
  const cookie = session.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  const speech = await fetch(`${url}/v1/speech`, {
    method: 'POST',
    headers: { ...headers, cookie },
    body: JSON.stringify({ text: QUESTION, language: 'en' }),
  })
  if (!speech.ok) throw new Error(`no speech: ${speech.status}`)
  return new Int16Array(await speech.arrayBuffer())
}
