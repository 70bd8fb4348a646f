import type { Page } from '@playwright/test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { BISCAYNE, callSomebody, expect, greeted, hangUp, test, type } from './world.ts'

const DIRECTORY = join(import.meta.dirname, '..', 'screenshots')
const SIZES = { wide: { width: 1280, height: 860 }, phone: { width: 360, height: 740 } } as const

/** Pictures of every page, in both themes, wide and on a telephone: to be looked at. */
test('pictures', async ({ page }) => {
  test.setTimeout(180_000)
  mkdirSync(DIRECTORY, { recursive: true })
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.goto('/')
  await expect(page.getByRole('button', { name: BISCAYNE })).toBeVisible()
  await take(page, 'sign-in')
  await page.getByRole('button', { name: BISCAYNE }).click()
  await expect(page.locator('.agent').first()).toBeVisible()
  await take(page, 'choose')
  await page.locator('.menu-button').click()
  await take(page, 'menu', false)
  await page.keyboard.press('Escape')
  await callSomebody(page)
  await greeted(page)
  await type(page, 'i am looking for a three bedroom house to buy')
  await expect(page.getByTestId('agent-line').nth(1)).toContainText('I found', { timeout: 20_000 })
  await type(page, 'wait i need four bedrooms')
  await expect(page.getByTestId('agent-line').nth(2)).toContainText('I found', { timeout: 20_000 })
  await take(page, 'on-a-call', false)
  const id = await hangUp(page)
  await expect(page.getByTestId('waterfall')).toContainText('endpointing')
  await take(page, 'call-over')
  await page.goto('/calls')
  await expect(page.locator('.call-row').first()).toBeVisible()
  await take(page, 'calls')
  await page.goto(`/calls/${id}`)
  await expect(page.getByTestId('turn').first()).toBeVisible()
  await take(page, 'call')
  for (const summary of await page.locator('summary').all()) await summary.click()
  await take(page, 'call-open')
  await page.goto('/calls/call_nobody')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is no such call')
  await take(page, 'no-such-call')
  await page.goto('/docs')
  await expect(page.locator('.operation').first()).toBeVisible()
  await take(page, 'docs', false)
})

async function take(page: Page, name: string, fullPage = true): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport)
    for (const theme of ['light', 'dark']) {
      await page.evaluate((to) => {
        document.documentElement.dataset['theme'] = to
      }, theme)
      await page.waitForTimeout(150)
      await page.screenshot({ path: join(DIRECTORY, `${name}-${size}-${theme}.png`), fullPage })
    }
  }
  await page.setViewportSize(SIZES.wide)
}
