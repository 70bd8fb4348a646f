import type { Stage, TurnView } from '../api/types'

/** The promise: the caller hears something within two seconds. */
export const PROMISE_MS = 2_000

export interface Row {
  label: string
  kind: 'stage' | 'bridge' | 'heard'
  /** Milliseconds from the end of speech. */
  start: number
  at: number
  /** What it adds to the rows above it; what runs side by side is counted from the end of speech. */
  added: number
}

const STEPS: readonly (readonly [string, Stage])[] = [
  ['endpointing', 'endpointed'],
  ['final transcript', 'final_transcript'],
  ['request sent', 'request_sent'],
  ['first token', 'first_token'],
  ['first phrase', 'first_phrase'],
  ['synthesis asked', 'synthesis_asked'],
  ['first byte of speech', 'first_byte'],
  ['first audio sent', 'first_audio_sent'],
  ['first audio played', 'first_audio_played'],
]

/** The stages of a stored turn from the caller's end of speech on; empty where the caller said nothing (the greeting). */
export function waterfall(turn: Pick<TurnView, 'stages_us'> & Partial<TurnView>): Row[] {
  const zero = turn.stages_us.end_of_speech
  if (zero === undefined) return []
  const ms = (us: number): number => Math.trunc((us - zero) / 1_000)
  const rows: Row[] = []
  let from = 0
  for (const [label, stage] of STEPS) {
    const us = turn.stages_us[stage]
    if (us === undefined) continue
    const at = ms(us)
    // Recognition and endpointing run side by side; the others follow each other.
    const start = stage === 'endpointed' || stage === 'final_transcript' ? 0 : Math.min(from, at)
    rows.push({ label, kind: 'stage', start, at, added: Math.max(0, at - start) })
    from = Math.max(from, at)
  }
  const bridges: [string, number | null | undefined][] = [
    ['acknowledgement heard', turn.acknowledgement_played_us ?? turn.acknowledgement_sent_us],
    ['announcement heard', turn.announcement_played_us ?? turn.announcement_sent_us],
  ]
  for (const [label, us] of bridges) {
    if (us !== undefined && us !== null)
      rows.push({ label, kind: 'bridge', start: ms(us), at: ms(us), added: 0 })
  }
  return rows
}

/** How long the axis is that all these fit on, with the line at two seconds in sight. */
export function axis(latest: readonly (number | null | undefined)[]): number {
  const end = Math.max(PROMISE_MS, ...latest.map((ms) => ms ?? 0))
  return Math.ceil((end * 1.05) / 100) * 100
}

export interface Verdict {
  kept: boolean | null
  words: string
}

/** The promise in words, as the command line has them. */
export function verdict(firstAudibleMs: number | null | undefined): Verdict {
  if (firstAudibleMs === null || firstAudibleMs === undefined) return { kept: null, words: 'no audio' }
  const figure = `${Math.round(firstAudibleMs).toLocaleString('en-US')} ms`
  return firstAudibleMs <= PROMISE_MS
    ? { kept: true, words: `first audio after ${figure}, within the two seconds` }
    : { kept: false, words: `first audio after ${figure}: later than two seconds` }
}
