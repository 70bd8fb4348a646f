import { Store } from './store'

/** Whether the server answers. `epoch` counts how often it came back: whoever shows its data asks again then. */
export const connection = new Store<{ away: boolean; epoch: number }>({ away: false, epoch: 0 })

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 5_000

export function backoff(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS)
}

let probing = false

/** Nothing answered. Asks until something does. */
export function lost(): void {
  connection.update({ away: true })
  if (!probing) void probe()
}

async function probe(): Promise<void> {
  probing = true
  for (let attempt = 0; ; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, backoff(attempt)))
    try {
      const response = await fetch('/v1/session', { cache: 'no-store' })
      if (response.status < 500) break
    } catch {
      // Still away.
    }
  }
  probing = false
  connection.set({ away: false, epoch: connection.get().epoch + 1 })
}
