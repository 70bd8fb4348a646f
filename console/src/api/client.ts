import { lost } from './connection'
import { isProblem } from './problem'
import type { Problem } from './types'

/** The server refused, and said why. */
export class ProblemError extends Error {
  readonly problem: Problem
  readonly retryAfterSeconds: number | null

  constructor(problem: Problem, retryAfterSeconds: number | null) {
    super(problem.title)
    this.problem = problem
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Nobody answered. */
export class AwayError extends Error {
  constructor() {
    super('The server is away.')
  }
}

let onUnauthorized: () => void = () => undefined

/** Who is told when a session has ended. */
export function whenUnauthorized(listener: () => void): void {
  onUnauthorized = listener
}

export type Query = Record<string, string | number | null | undefined>

export interface Options {
  query?: Query
  body?: unknown
  signal?: AbortSignal
  accept?: string
}

export function withQuery(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}

/** Asks the server. Rejects with `ProblemError`, `AwayError`, or an `AbortError`. */
export async function call(method: string, path: string, options: Options = {}): Promise<Response> {
  const { query, body, signal, accept } = options
  const headers: Record<string, string> = { accept: accept ?? 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(withQuery(path, query), {
      method,
      headers,
      cache: 'no-store',
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    lost()
    throw new AwayError()
  }
  if (response.ok) return response
  const problem = await problemOf(response)
  if (problem === null) {
    // Something between the server and here spoke for it.
    lost()
    throw new AwayError()
  }
  if (response.status === 401 && path !== '/v1/session') onUnauthorized()
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  throw new ProblemError(problem, Number.isFinite(retryAfter) ? retryAfter : null)
}

async function problemOf(response: Response): Promise<Problem | null> {
  try {
    const body: unknown = await response.json()
    if (isProblem(body)) return body
  } catch {
    // Not even JSON.
  }
  if (response.status >= 502 && response.status <= 504) return null
  return {
    type: 'about:blank',
    title: `The server answered ${response.status} ${response.statusText}`.trim(),
    status: response.status,
  }
}

export async function get<T>(path: string, options: Options = {}): Promise<T> {
  const response = await call('GET', path, options)
  return (await response.json()) as T
}
