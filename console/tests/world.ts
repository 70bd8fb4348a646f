import { type APIRequestContext, expect, type Locator, type Page, test as base } from '@playwright/test'
import { Server } from './server.ts'

/** What a browser writes into its console because a request failed: the page cannot keep it from doing so. */
const OF_THE_NETWORK = /Failed to load resource|WebSocket connection to .* failed|net::ERR_/

interface Fixtures {
  /** What a page writes into the console; empty at the end of each test. */
  complaints: string[]
}

export const test = base.extend<Fixtures, { server: Server }>({
  server: [
    // eslint-disable-next-line no-empty-pattern -- the runner reads the names out of it
    async ({}, use) => {
      const server = new Server()
      await server.start()
      try {
        await use(server)
      } finally {
        await server.stop()
      }
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  complaints: [
    async ({ context, server }, use, info) => {
      const complaints: string[] = []
      context.on('console', (message) => {
        if (message.type() !== 'error' && message.type() !== 'warning') return
        if (!OF_THE_NETWORK.test(message.text())) complaints.push(message.text())
      })
      context.on('weberror', (error) => complaints.push(String(error.error())))
      await use(complaints)
      if (info.status !== info.expectedStatus) console.log(server.said)
      expect(complaints).toEqual([])
    },
    { auto: true },
  ],
})

export { expect }

export const BISCAYNE = 'Biscayne Bay Homes'
export const LONE_STAR = 'Lone Star Homes'

export async function signIn(page: Page, brokerage: string, path = '/'): Promise<void> {
  await page.goto(path)
  await page.getByRole('button', { name: brokerage }).click()
  await expect(page.locator('.menu-button')).toContainText(brokerage)
}

/** An agent of the brokerage who speaks English. */
export async function callSomebody(page: Page): Promise<string> {
  const agent = page.locator('.agent', { hasText: 'Speaks English' }).first()
  const name = (await agent.locator('.agent-name').innerText()).trim()
  await agent.getByRole('button', { name: `Call ${name}` }).click()
  return name
}

export function mood(page: Page): Locator {
  return page.locator('.call-mood')
}

/** Until the agent has greeted and waits for the caller. */
export async function greeted(page: Page): Promise<void> {
  await expect(page.getByTestId('agent-line').first()).toContainText('How can I help', { timeout: 20_000 })
  await expect(mood(page)).toContainText('is listening', { timeout: 20_000 })
}

export async function type(page: Page, words: string): Promise<void> {
  const field = page.getByLabel(/^What to say/)
  await field.fill(words)
  await field.press('Enter')
}

/** The answer to the current turn has begun to be heard. */
export async function answered(page: Page): Promise<void> {
  await expect(page.getByTestId('turn-clock')).toHaveAttribute('data-state', 'heard', { timeout: 20_000 })
}

export async function hangUp(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Hang up' }).click()
  const link = page.getByRole('link', { name: 'Look at the stored call' })
  const href = await link.getAttribute('href')
  return href?.replace('/calls/', '') ?? ''
}

interface StoredTurn {
  number: number
  caller_text: string
  generated_text: string
  heard_text: string
  outcome: string
  first_audible_ms?: number
  tools: { name: string }[]
}

/** The stored call, once it has ended. */
export async function stored(
  request: APIRequestContext,
  id: string,
): Promise<{ turns: StoredTurn[]; ended: { reason: string } }> {
  let call: { turns: StoredTurn[]; ended?: { reason: string } } = { turns: [] }
  await expect
    .poll(async () => {
      const response = await request.get(`/v1/calls/${id}`)
      call = (await response.json()) as typeof call
      return call.ended !== undefined
    })
    .toBe(true)
  return call as { turns: StoredTurn[]; ended: { reason: string } }
}
