import { useCallback, useEffect, useRef, useState } from 'react'
import { AwayError, ProblemError } from './client'
import { connection } from './connection'
import { useStore } from './store'
import type { Problem } from './types'

export type Resource<T> = {
  data: T | null
  problem: Problem | null
  loading: boolean
  reload: () => void
}

const UNKNOWN: Problem = { type: 'about:blank', title: 'Something went wrong on this page', status: 0 }

export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  return { ...UNKNOWN, detail: error instanceof Error ? error.message : String(error) }
}

interface Settled<T> {
  key: string
  /** Which of the questions was answered. */
  question: string
  data: T | null
  problem: Problem | null
}

/** What the server has under this key; asked for again when the server comes back from being away. */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const { epoch } = useStore(connection)
  const [asked, ask] = useState(0)
  const [settled, settle] = useState<Settled<T> | null>(null)
  const question = `${key} ${epoch} ${asked}`
  const loader = useRef(load)
  useEffect(() => {
    loader.current = load
  })
  useEffect(() => {
    const stop = new AbortController()
    loader.current(stop.signal).then(
      (data) => {
        if (!stop.signal.aborted) settle({ key, question, data, problem: null })
      },
      (error: unknown) => {
        // That the server is away is said by the banner; here it just takes longer.
        if (stop.signal.aborted || error instanceof AwayError) return
        settle((was) => ({
          key,
          question,
          data: was?.key === key ? was.data : null,
          problem: problemOf(error),
        }))
      },
    )
    return () => stop.abort()
  }, [key, question])
  const reload = useCallback(() => ask((count) => count + 1), [])
  const mine = settled?.key === key ? settled : null
  return {
    data: mine?.data ?? null,
    problem: mine?.problem ?? null,
    loading: mine?.question !== question,
    reload,
  }
}
