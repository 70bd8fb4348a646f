import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import {
  BISCAYNE,
  callSomebody,
  expect,
  greeted,
  hangUp,
  LONE_STAR,
  signIn,
  stored,
  test,
  type,
} from './world.ts'

test('a wrong password is said, and a theme is kept', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('textbox', { name: 'Brokerage' }).fill('biscayne-bay-homes')
  await page.getByLabel('E-mail').fill('nobody@example.com')
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByRole('alert')).not.toBeEmpty()
  await page.locator('.menu-button').click()
  await page.getByRole('radio', { name: 'Dark' }).check()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('calls come and go in the list while it is looked at', async ({ page, context }) => {
  await signIn(page, BISCAYNE)
  const list = await context.newPage()
  await list.goto('/calls')
  await expect(list.getByRole('heading', { name: 'Calls' })).toBeVisible()
  const name = await callSomebody(page)
  await expect(list.getByTestId('live-calls')).toContainText(name)
  await greeted(page)
  // A call goes on while other pages are looked at.
  await page.getByRole('link', { name: 'Calls' }).click()
  await expect(page.locator('.on-call')).toBeVisible()
  await page.getByRole('link', { name: /^Call\s*,/ }).click()
  const id = await hangUp(page)
  await expect(list.getByTestId('live-calls')).toHaveCount(0)
  await expect(list.locator(`a[href="/calls/${id}"]`)).toContainText('the caller hung up')

  await list.getByLabel('State').selectOption('live')
  await list.getByRole('button', { name: 'Show', exact: true }).click()
  await expect(list).toHaveURL(/status=live/)
  await expect(list.getByText('No call is like that')).toBeVisible()
  await list.getByRole('link', { name: 'Show all', exact: true }).click()
  await expect(list.locator(`a[href="/calls/${id}"]`)).toBeVisible()
})

test('one brokerage sees nothing of another, by address neither', async ({ page }) => {
  await signIn(page, BISCAYNE)
  await callSomebody(page)
  await expect(page.getByTestId('agent-line').first()).toContainText('calling', { timeout: 20_000 })
  const id = await hangUp(page)
  await stored(page.request, id)
  await page.goto(`/calls/${id}`)
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Call with')

  await page.locator('.menu-button').click()
  await page.getByRole('button', { name: LONE_STAR }).click()
  await expect(page.locator('.menu-button')).toContainText(LONE_STAR)
  await page.goto('/calls')
  await expect(page.getByRole('heading', { name: 'Calls' })).toBeVisible()
  await expect(page.locator(`a[href="/calls/${id}"]`)).toHaveCount(0)
  await page.goto(`/calls/${id}`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is no such call')
  const foreign = await page.locator('main').innerHTML()
  await page.goto('/calls/call_00000000000000000000000000')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is no such call')
  expect(await page.locator('main').innerHTML()).toBe(foreign)
})

test('a session that has ended asks for another, and leads back', async ({ page, server }) => {
  await signIn(page, BISCAYNE, '/calls?status=ended')
  await expect(page.getByRole('heading', { name: 'Calls' })).toBeVisible()
  const ended = await page.request.delete('/v1/session', { headers: { origin: server.url } })
  expect(ended.status()).toBe(204)
  await page.getByRole('link', { name: 'Call', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(
    'Your session has ended. Sign in again to go on.',
  )
  await page.goBack()
  await page.getByRole('button', { name: BISCAYNE }).click()
  await expect(page).toHaveURL(/\/calls\?status=ended/)
  await expect(page.getByRole('heading', { name: 'Calls' })).toBeVisible()

  await page.locator('.menu-button').click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('button', { name: BISCAYNE })).toBeVisible()
})

test('a viewer may look, and is told so; words that cannot be spoken stay to be read', async ({ page }) => {
  await signIn(page, BISCAYNE)
  const view = (await (await page.request.get('/v1/session')).json()) as {
    identity: { member: { role: string } }
  }
  view.identity.member.role = 'viewer'
  await page.route('**/v1/session', (route) => route.fulfill({ json: view }))
  await page.reload()
  await expect(page.getByText('your role is viewer')).toBeVisible()
  await expect(page.getByRole('button', { name: /^Call / }).first()).toBeDisabled()

  // With a recogniser that understands voices, the microphone comes first.
  view.identity.member.role = 'admin'
  await page.route('**/v1/session', (route) => route.fulfill({ json: { ...view, ears: 'real' } }))
  const problem = {
    type: 'urn:seiketsu:problem:busy',
    title: 'Too many connections at the moment',
    status: 503,
  }
  await page.route('**/v1/speech', (route) =>
    route.fulfill({
      status: 503,
      headers: { 'retry-after': '7' },
      contentType: 'application/problem+json',
      json: problem,
    }),
  )
  await page.reload()
  await callSomebody(page)
  // There is none here.
  await expect(page.locator('.composer-hint')).toContainText('Type instead')
  await type(page, 'hello there')
  await expect(page.getByTestId('typed-line')).toContainText(
    'was not said: Too much is being said at once. Try again in 7 s.',
  )
  await page.getByRole('button', { name: 'Take it away' }).click()
  await expect(page.getByTestId('typed-line')).toHaveCount(0)
  await hangUp(page)
})

test('a server that cannot say who is there is away, until it can', async ({ page }) => {
  const problem = { type: 'about:blank', title: 'Something went wrong on our side', status: 500 }
  await page.route('**/v1/session', (route) =>
    route.fulfill({ status: 500, contentType: 'application/problem+json', json: problem }),
  )
  await page.goto('/')
  await expect(page.getByText('The server is away')).toBeVisible()
  await page.unroute('**/v1/session')
  await expect(page.getByRole('button', { name: BISCAYNE })).toBeVisible()
  await expect(page.getByText('The server is away')).toHaveCount(0)
})

test('a page that cannot be drawn offers to reload, and the others stay', async ({ page, complaints }) => {
  await signIn(page, BISCAYNE)
  await page.route('**/v1/agents', (route) => route.fulfill({ json: { items: [{ id: 'agent_1' }] } }))
  await page.reload()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Something went wrong on this page')
  await page.unroute('**/v1/agents')
  await page.getByRole('link', { name: 'Calls' }).click()
  await expect(page.getByRole('heading', { name: 'Calls' })).toBeVisible()
  await page.goBack()
  await expect(page.getByRole('button', { name: /^Call / }).first()).toBeVisible()
  // React says what happened.
  expect(complaints.splice(0).length).toBeGreaterThan(0)
})

test('a long list comes page by page, and trouble is told with a way on', async ({ page }) => {
  await signIn(page, BISCAYNE)
  for (let call = 0; call < 3; call++) {
    await callSomebody(page)
    await expect(page.getByTestId('call')).toHaveAttribute('data-phase', 'live')
    const id = await hangUp(page)
    await stored(page.request, id)
    await page.getByRole('button', { name: 'Call another agent' }).click()
  }
  await page.route(/\/v1\/calls\?/, (route) =>
    route.continue({ url: route.request().url().replace('limit=50', 'limit=2') }),
  )
  await page.getByRole('link', { name: 'Calls' }).click()
  await expect(page.locator('.call-row')).toHaveCount(2)
  await page.getByRole('button', { name: 'Load more' }).click()
  await expect.poll(() => page.locator('.call-row').count()).toBeGreaterThan(2)

  await page.route(/\/v1\/calls\?/, (route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      json: {
        type: 'about:blank',
        title: 'Something went wrong on our side',
        status: 500,
        detail: 'Bad luck.',
      },
    }),
  )
  await page.reload()
  await expect(page.getByRole('alert')).toContainText('Something went wrong on our side')
  await expect(page.getByRole('alert')).toContainText('Bad luck.')
  await page.unroute(/\/v1\/calls\?/)
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.locator('.call-row').first()).toBeVisible()
})

const THEMES = ['light', 'dark'] as const

test('every page is accessible in both themes, and fits on a telephone', async ({ page }) => {
  test.setTimeout(120_000)
  await page.goto('/')
  await expect(page.getByRole('button', { name: BISCAYNE })).toBeVisible()
  await look(page, 'sign in')
  await page.getByRole('button', { name: BISCAYNE }).click()
  await expect(page.locator('.agent').first()).toBeVisible()
  await look(page, 'choose')
  await page.locator('.menu-button').click()
  await look(page, 'menu')
  await page.keyboard.press('Escape')
  await callSomebody(page)
  await greeted(page)
  await type(page, 'i am looking for a three bedroom house to buy')
  await expect(page.getByTestId('agent-line').nth(1)).toContainText('I found', { timeout: 20_000 })
  await page.getByRole('button', { name: 'Interrupt' }).click()
  await expect(page.getByTestId('waterfall')).toBeVisible({ timeout: 20_000 })
  await look(page, 'on a call')
  const id = await hangUp(page)
  await look(page, 'call over')
  await page.goto('/calls')
  await expect(page.locator('.call-row').first()).toBeVisible()
  await look(page, 'calls')
  await page.goto(`/calls/${id}`)
  await expect(page.getByTestId('turn').first()).toBeVisible()
  for (const summary of await page.locator('summary').all()) await summary.click()
  await look(page, 'a call')
  await page.goto('/calls/call_nobody')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is no such call')
  await look(page, 'no such call')
  await page.goto('/docs')
  await expect(page.locator('.operation').first()).toBeVisible()
  await look(page, 'docs')
})

async function look(page: Page, name: string): Promise<void> {
  const wide = { width: 1280, height: 860 }
  await page.emulateMedia({ reducedMotion: 'reduce' })
  for (const theme of THEMES) {
    await page.evaluate((to) => {
      document.documentElement.dataset['theme'] = to
    }, theme)
    const axe = new AxeBuilder({ page })
    // The themes differ in colours, and in nothing else.
    if (theme === THEMES[0])
      axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    else axe.withRules(['color-contrast', 'link-in-text-block'])
    const { violations } = await axe.analyze()
    expect(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' ')}`),
      `${name}, ${theme}`,
    ).toEqual([])
  }
  await page.setViewportSize({ width: 360, height: 740 })
  // A page has a frame's time to follow the window.
  const sideways = (): Promise<string[]> =>
    page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement
      if (scrollWidth <= clientWidth) return []
      const wide = [...document.querySelectorAll('body *')].filter(
        (one) => one.getBoundingClientRect().right > clientWidth,
      )
      return [
        `${scrollWidth} px wide`,
        ...wide.map((one) => `${one.tagName} ${one.className}: ${one.textContent.slice(0, 40)}`),
      ]
    })
  await expect.poll(sideways, { message: `${name} scrolls sideways on a telephone` }).toEqual([])
  await page.setViewportSize(wide)
}
