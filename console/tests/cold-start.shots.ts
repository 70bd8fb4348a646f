import { BISCAYNE, callSomebody, expect, test } from './world.ts'

/** From an empty browser to the first spoken answer: three clicks, and how long each step takes. Prints one line. */
test('a cold start, timed', async ({ page }) => {
  const began = performance.now()
  const steps: Record<string, number> = {}
  const reached = (step: string): void => {
    steps[step] = Math.round(performance.now() - began)
  }
  const heard = async (): Promise<number> =>
    Number((await page.getByTestId('call').getAttribute('data-heard-ms')) ?? 0)
  await page.goto('/')
  await expect(page.getByRole('button', { name: BISCAYNE })).toBeVisible()
  reached('page is usable')
  await page.getByRole('button', { name: BISCAYNE }).click()
  await expect(page.locator('.agent').first()).toBeVisible()
  reached('click 1: signed in')
  await callSomebody(page)
  await expect.poll(heard, { intervals: [20] }).toBeGreaterThan(0)
  reached('click 2: first sound of the greeting')
  await expect(page.getByTestId('agent-line').first()).toContainText('help?', { timeout: 20_000 })
  const spoken = performance.now()
  await page.getByRole('button', { name: /three bedroom house/ }).click()
  await expect(page.getByTestId('agent-line').nth(1).locator('.wait')).toContainText(/\d\.\d\d s/, {
    timeout: 20_000,
  })
  steps['click 3 to the first sound of the answer, the spoken question included'] = Math.round(
    performance.now() - spoken,
  )
  const wait = await page.getByTestId('agent-line').nth(1).locator('.wait').textContent()
  console.log(JSON.stringify({ milliseconds: steps, 'first audible, measured in the page': wait }))
})
