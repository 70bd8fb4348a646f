import { useEffect } from 'react'
import { call } from './client'
import { backoff, connection, lost } from './connection'
import { EventStreamParser } from './sse'
import { Store, useStore } from './store'
import type { CallView } from './types'

export type CallEventKind = 'call.started' | 'call.updated' | 'call.ended'

export interface CallEvent {
  kind: CallEventKind
  call: CallView
}

type Listener = (event: CallEvent) => void

/** The calls that are live now, by id; `null` until the server has said. */
export const liveCalls = new Store<ReadonlyMap<string, CallView> | null>(null)

const listeners = new Set<Listener>()

export function onCallEvent(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const KINDS: ReadonlySet<string> = new Set(['call.started', 'call.updated', 'call.ended'])

function take(kind: CallEventKind, view: CallView): void {
  const live = new Map(liveCalls.get() ?? [])
  if (kind === 'call.ended' || (view.ended ?? null) !== null) live.delete(view.id)
  else live.set(view.id, view)
  liveCalls.set(live)
  for (const listener of [...listeners]) listener({ kind, call: view })
}

/** Follows the brokerage's calls until the signal stops it. */
async function follow(signal: AbortSignal): Promise<void> {
  const stopped = (): boolean => signal.aborted
  let connected = false
  for (let attempt = 0; !stopped(); attempt++) {
    try {
      const response = await call('GET', '/v1/calls/events', { signal, accept: 'text/event-stream' })
      liveCalls.set(new Map())
      if (connected) {
        // What happened in between was not told: whoever shows calls asks again.
        connection.update({ epoch: connection.get().epoch + 1 })
      }
      connected = true
      const parser = new EventStreamParser()
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
      while (reader !== undefined) {
        const { done, value } = await reader.read()
        if (done) break
        attempt = 0
        for (const { event, data } of parser.push(value)) {
          if (KINDS.has(event)) take(event as CallEventKind, JSON.parse(data) as CallView)
        }
      }
    } catch (error) {
      if (stopped()) return
      // A stream that breaks off is how the end of a server shows first.
      if (error instanceof TypeError) lost()
    }
    await untilThere(signal, backoff(attempt))
  }
}

/** Waits for so long, and then until the server is not away. */
async function untilThere(signal: AbortSignal, wait: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, wait)
    signal.addEventListener('abort', done)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
  while (connection.get().away && !signal.aborted) {
    await new Promise<void>((resolve) => {
      const stop = connection.subscribe(done)
      signal.addEventListener('abort', done)
      function done(): void {
        stop()
        signal.removeEventListener('abort', done)
        resolve()
      }
    })
  }
}

/** A page that nobody has looked at for so long gives its connection back: browsers have six of them for a server. */
const UNSEEN_MS = 60_000

/** Follows calls while the component is there and the page is looked at. */
export function useFollowedCalls(tenant: string | null): void {
  useEffect(() => {
    if (tenant === null) return
    let stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const onLook = (): void => {
      clearTimeout(timer)
      if (document.hidden) timer = setTimeout(() => stop.abort(), UNSEEN_MS)
      else if (stop.signal.aborted) {
        connection.update({ epoch: connection.get().epoch + 1 })
        begin()
      }
    }
    const begin = (): void => {
      stop = new AbortController()
      void follow(stop.signal)
    }
    begin()
    document.addEventListener('visibilitychange', onLook)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onLook)
      stop.abort()
      liveCalls.set(null)
    }
  }, [tenant])
}

export function useLiveCalls(): ReadonlyMap<string, CallView> | null {
  return useStore(liveCalls)
}
