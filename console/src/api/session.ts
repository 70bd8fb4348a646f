import { call, get, ProblemError, whenUnauthorized } from './client'
import { Store } from './store'
import type { DemoIdentity, Identity, SessionView } from './types'

export interface SessionState {
  status: 'loading' | 'in' | 'out'
  identity: Identity | null
  demo: DemoIdentity[]
  ears: 'sandbox' | 'real'
  /** It was there, and is no more: not by the wish of whoever sits here. */
  ended: boolean
}

export const session = new Store<SessionState>({
  status: 'loading',
  identity: null,
  demo: [],
  ears: 'real',
  ended: false,
})

function take(view: SessionView): void {
  const { demo, ears } = view
  const identity = view.identity ?? null
  session.set({ status: identity === null ? 'out' : 'in', identity, demo, ears, ended: false })
}

/** Who is signed in, as the server sees it. */
export async function look(): Promise<void> {
  const was = session.get()
  const view = await get<SessionView>('/v1/session')
  if (was.status === 'in' && (view.identity ?? null) === null) end()
  else if (was.status === 'out' && (view.identity ?? null) === null)
    session.update({ demo: view.demo, ears: view.ears })
  else take(view)
}

export type Credentials = { demo: string } | { tenant: string; email: string; password: string }

export async function signIn(credentials: Credentials): Promise<void> {
  const response = await call('POST', '/v1/session', { body: credentials })
  take((await response.json()) as SessionView)
}

export async function signOut(): Promise<void> {
  try {
    await call('DELETE', '/v1/session')
  } catch (error) {
    if (!(error instanceof ProblemError && error.problem.status === 401)) throw error
  }
  session.update({ status: 'out', identity: null, ended: false })
}

function end(): void {
  if (session.get().status === 'in') session.update({ status: 'out', identity: null, ended: true })
}

whenUnauthorized(end)
