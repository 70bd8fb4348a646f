import type { EndReason, Language, TurnOutcome } from './api/types'

const LOCALE = 'en-US'

export function number(value: number): string {
  return Math.round(value).toLocaleString(LOCALE)
}

export function milliseconds(ms: number): string {
  return `${number(ms)} ms`
}

/** `1.42 s`, as precise as it is felt. */
export function seconds(ms: number, digits = 2): string {
  return `${(ms / 1_000).toFixed(digits)} s`
}

/** `4 min 5 s`. */
export function length(ms: number): string {
  const all = Math.round(ms / 1_000)
  const [hours, minutes, rest] = [Math.floor(all / 3_600), Math.floor(all / 60) % 60, all % 60]
  const parts = []
  if (hours > 0) parts.push(`${hours} h`)
  if (minutes > 0) parts.push(`${minutes} min`)
  if (hours === 0 && (rest > 0 || parts.length === 0)) parts.push(`${rest} s`)
  return parts.join(' ')
}

/** `4:05`, for a clock that runs. */
export function clock(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1_000))
  const text = `${String(Math.floor(all / 60) % 60).padStart(all >= 3_600 ? 2 : 1, '0')}:${String(all % 60).padStart(2, '0')}`
  return all >= 3_600 ? `${Math.floor(all / 3_600)}:${text}` : text
}

/** `Nov 29, 2026, 3:04 PM EST`: in this time zone, and which that is. */
export function moment(timestamp: string, timeZone: string): string {
  return new Date(timestamp).toLocaleString(LOCALE, {
    timeZone,
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  })
}

/** `EST`, `PDT`: the zone as it is called on that day. */
export function zoneName(timeZone: string, at: Date = new Date()): string {
  const parts = new Intl.DateTimeFormat(LOCALE, { timeZone, timeZoneName: 'short' }).formatToParts(at)
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? timeZone
}

/** When a day (`2026-11-29`) begins in a time zone; `null` if that is no day. */
export function startOfDay(day: string, timeZone: string): string | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day)
  if (match === null) return null
  const midnight = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
  let at = midnight
  // Twice: the first guess may lie on the other side of a change of the clock.
  for (let round = 0; round < 2; round++) at = midnight - offset(at, timeZone)
  return new Date(at).toISOString()
}

/** The day after (`2026-11-30`); nothing if that is no day. */
export function nextDay(day: string): string {
  const at = new Date(`${day}T00:00:00Z`)
  if (Number.isNaN(at.getTime())) return ''
  at.setUTCDate(at.getUTCDate() + 1)
  return at.toISOString().slice(0, 10)
}

function offset(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0)
  return (
    Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) -
    Math.floor(at / 1_000) * 1_000
  )
}

/** `+1 305 555 0122`; numbers of other countries as they are. */
export function phone(value: string): string {
  const match = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(value)
  return match === null ? value : `+1 ${match[1]} ${match[2]} ${match[3]}`
}

export function dollars(micro: number): string {
  return (micro / 1_000_000).toLocaleString(LOCALE, {
    style: 'currency',
    currency: 'USD',
    maximumFractionDigits: 0,
  })
}

export const LANGUAGES: Record<Language, string> = { en: 'English', es: 'Spanish', zh: 'Chinese' }

export const END_REASONS: Record<EndReason, string> = {
  caller_hung_up: 'the caller hung up',
  agent_hung_up: 'the agent hung up',
  max_duration: 'the longest call was reached',
  silence: 'nobody spoke for too long',
  transferred: 'put through to a person',
  failure: 'something failed',
  replica_lost: 'the server was lost',
}

export const OUTCOMES: Record<TurnOutcome, string> = {
  answered: 'answered',
  interrupted: 'interrupted',
  continued: 'continued',
  failed: 'failed',
  hung_up: 'hung up',
}

/** `book_viewing` as words. */
export function words(name: string): string {
  return name.replaceAll('_', ' ')
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`
}
