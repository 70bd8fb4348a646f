import { BISCAYNE, callSomebody, expect, signIn, test } from './world.ts'

test('a server that goes away and comes back is waited for', async ({ page, context, server }) => {
  test.setTimeout(120_000)
  await signIn(page, BISCAYNE)
  const name = await callSomebody(page)
  const list = await context.newPage()
  await list.goto('/calls')
  await expect(list.getByTestId('live-calls')).toContainText(name)
  await expect(page.getByTestId('agent-line').first()).toContainText('calling', { timeout: 20_000 })

  await server.stop()
  await expect(page.getByTestId('summary')).toContainText(/The call was lost|The server is shutting down/)
  const again = page.getByRole('button', { name: `Call ${name} again` })
  await expect(again).toBeVisible()
  await expect(page.getByText('The server is away; trying again…')).toBeVisible()
  await expect(list.getByText('The server is away; trying again…')).toBeVisible()

  await server.start()
  await expect(list.getByText('The server is away; trying again…')).toBeHidden({ timeout: 20_000 })
  await expect(page.getByText('The server is away; trying again…')).toBeHidden({ timeout: 20_000 })
  await again.click()
  await expect(page.getByTestId('agent-line').first()).toContainText('calling', { timeout: 20_000 })
  // The list hears of it without being asked: its events have recovered too.
  await expect(list.getByTestId('live-calls')).toContainText(name, { timeout: 20_000 })
  await page.getByRole('button', { name: 'Hang up' }).click()
  await expect(list.getByTestId('live-calls')).toHaveCount(0)
})
