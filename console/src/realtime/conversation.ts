import type { ServerEvent } from './protocol'
import type { Phrase } from './reveal'

/**
 * A conversation as the page knows it, out of what the server tells, what the player has played, and what was typed. Pure:
 * times come with the actions, in milliseconds of one clock.
 */
export interface Conversation {
  sessionId: string | null
  items: readonly Item[]
  typed: readonly Typed[]
  /** A response that is being made. */
  response: string | null
  /** The caller's voice is heard by the server. */
  callerSpeaks: boolean
  /** The item that is being played. */
  sounding: string | null
  /** The turns that were timed here, in order; the last one may be running. */
  turns: readonly Turn[]
}

export type Item = AgentItem | CallerItem

export interface AgentItem {
  kind: 'agent'
  id: string
  responseId: string
  phrases: readonly Phrase[]
  received: number
  played: number
  complete: boolean
  cut: Cut | null
  bornAt: number
}

/** Where it was broken off. */
export interface Cut {
  by: 'caller' | 'button'
  played: number
}

export interface CallerItem {
  kind: 'caller'
  id: string
  /** What the recogniser understood; `null` until it is certain. */
  text: string | null
}

/** Words that were typed and are spoken for the caller. */
export interface Typed {
  id: number
  text: string
  state: 'preparing' | 'speaking' | 'spoken' | 'failed'
  problem?: string
}

/** One turn against the two seconds, as it is measured in the page. */
export interface Turn {
  number: number
  by: 'typed' | 'microphone'
  /** The end of the caller's speech. */
  zero: number
  understood: number | null
  begun: number | null
  received: number | null
  heard: number | null
  /** The item that was heard. */
  item: string | null
  /** No answer came, and none was due: a murmur, or the caller went on. */
  idle: boolean
}

export type Action =
  | { type: 'event'; event: ServerEvent; at: number; spokenAt?: number | null; samples?: number }
  | { type: 'typed'; id: number; text: string }
  | { type: 'typed-speaking'; id: number }
  | { type: 'typed-spoken'; id: number; at: number }
  | { type: 'typed-failed'; id: number; problem: string }
  | { type: 'typed-dropped'; ids: readonly number[] }
  | { type: 'heard'; item: string; at: number }
  | { type: 'played'; item: string; samples: number; at: number }
  | { type: 'silent' }
  | { type: 'cut'; item: string; samples: number; by: Cut['by'] }
  | { type: 'over' }

export const EMPTY: Conversation = {
  sessionId: null,
  items: [],
  typed: [],
  response: null,
  callerSpeaks: false,
  sounding: null,
  turns: [],
}

/** Two ends of speech that are not further apart are the same one, told by two. */
const SAME_END_MS = 1_500
/** Speech over the agent that stopped nothing for so long was a murmur. */
const MURMUR_MS = 3_000

export function reduce(state: Conversation, action: Action): Conversation {
  switch (action.type) {
    case 'event':
      return onEvent(state, action)
    case 'typed':
      return { ...state, typed: [...state.typed, { id: action.id, text: action.text, state: 'preparing' }] }
    case 'typed-speaking':
      return mapTyped(state, action.id, (typed) => ({ ...typed, state: 'speaking' }))
    case 'typed-spoken':
      return begin(
        mapTyped(state, action.id, (typed) => ({ ...typed, state: 'spoken' })),
        'typed',
        action.at,
      )
    case 'typed-failed':
      return mapTyped(state, action.id, (typed) => ({ ...typed, state: 'failed', problem: action.problem }))
    case 'typed-dropped':
      return { ...state, typed: state.typed.filter((typed) => !action.ids.includes(typed.id)) }
    case 'heard': {
      const item = agentItem(state, action.item)
      const next = { ...state, sounding: action.item }
      if (item === null) return next
      return mapTurn(next, (turn) =>
        turn.heard === null && item.bornAt >= turn.zero
          ? { ...turn, heard: action.at, item: item.id, idle: false }
          : turn,
      )
    }
    case 'played': {
      const next = mapAgent({ ...state, sounding: action.item }, action.item, (item) =>
        item.cut === null ? { ...item, played: Math.max(item.played, action.samples) } : item,
      )
      const item = agentItem(next, action.item)
      return mapTurn(next, (turn) => {
        const isMurmur =
          turn.understood === null &&
          item !== null &&
          item.bornAt < turn.zero &&
          action.at > turn.zero + MURMUR_MS
        return isMurmur && turn.heard === null ? { ...turn, idle: true } : turn
      })
    }
    case 'silent':
      return { ...state, sounding: null }
    case 'cut':
      return mapAgent({ ...state, sounding: null }, action.item, (item) => ({
        ...item,
        played: action.samples,
        cut: item.cut ?? { by: action.by, played: action.samples },
      }))
    case 'over':
      return { ...mapTurn(state, idle), callerSpeaks: false, sounding: null, response: null }
  }
}

function onEvent(
  state: Conversation,
  { event, at, spokenAt, samples }: Action & { type: 'event' },
): Conversation {
  switch (event.type) {
    case 'session.created':
      return { ...state, sessionId: event.session.id }
    case 'input_audio_buffer.speech_started':
      return { ...withCaller(state, event.item_id), callerSpeaks: true }
    case 'input_audio_buffer.speech_stopped': {
      const next = { ...withCaller(state, event.item_id), callerSpeaks: false }
      return spokenAt === null || spokenAt === undefined ? next : begin(next, 'microphone', spokenAt)
    }
    case 'input_audio_buffer.committed':
      return { ...withCaller(state, event.item_id), callerSpeaks: false }
    case 'conversation.item.input_audio_transcription.completed': {
      const next = withCaller(state, event.item_id)
      const items = next.items.map((item) =>
        item.kind === 'caller' && item.id === event.item_id ? { ...item, text: event.transcript } : item,
      )
      // The words may be understood just before their last sound is on its way.
      const done = next.typed.some((typed) => typed.state === 'spoken') ? 'spoken' : 'speaking'
      const typed = next.typed.filter((typed) => typed.state !== done)
      return mapTurn({ ...next, items, typed }, (turn) => ({ ...turn, understood: turn.understood ?? at }))
    }
    case 'conversation.item.deleted':
      return { ...state, items: state.items.filter((item) => item.id !== event.item_id) }
    case 'response.created':
      return mapTurn({ ...state, response: event.response.id }, (turn) =>
        turn.understood === null ? turn : { ...turn, begun: turn.begun ?? at },
      )
    case 'response.output_item.added':
      return event.item.type === 'message' ? withAgent(state, event.item.id, event.response_id, at) : state
    case 'response.output_audio_transcript.delta': {
      const next = withAgent(state, event.item_id, event.response_id, at)
      return mapAgent(next, event.item_id, (item) => ({
        ...item,
        phrases: [...item.phrases, { text: event.delta, from: item.received }],
      }))
    }
    case 'response.output_audio.delta': {
      const next = withAgent(state, event.item_id, event.response_id, at)
      const grown = mapAgent(next, event.item_id, (item) => ({
        ...item,
        received: item.received + (samples ?? 0),
      }))
      const item = agentItem(grown, event.item_id)
      return mapTurn(grown, (turn) =>
        turn.received === null && item !== null && item.bornAt >= turn.zero
          ? { ...turn, received: at }
          : turn,
      )
    }
    case 'response.output_audio.done':
      return mapAgent(state, event.item_id, (item) => ({ ...item, complete: true }))
    case 'response.done': {
      const items = state.items.map((item) =>
        item.kind === 'agent' && item.responseId === event.response.id ? { ...item, complete: true } : item,
      )
      return { ...state, items, response: state.response === event.response.id ? null : state.response }
    }
    default:
      return state
  }
}

/** A new end of speech: a new turn, unless it is the same end, or the running turn had no answer yet. */
function begin(state: Conversation, by: Turn['by'], zero: number): Conversation {
  const last = state.turns.at(-1)
  if (last !== undefined) {
    if (by === 'microphone' && last.by === 'typed' && Math.abs(zero - last.zero) < SAME_END_MS) return state
    if (by === 'microphone' && state.typed.some((typed) => typed.state === 'speaking')) return state
    if (last.heard === null && !last.idle && last.received === null) {
      // The caller went on: the wait begins anew.
      const again: Turn = { ...last, by, zero, understood: null, begun: null }
      return { ...state, turns: [...state.turns.slice(0, -1), again] }
    }
  } else if (by === 'microphone' && state.typed.some((typed) => typed.state === 'speaking')) return state
  const turn: Turn = {
    number: (last?.number ?? 0) + 1,
    by,
    zero,
    understood: null,
    begun: null,
    received: null,
    heard: null,
    item: null,
    idle: false,
  }
  return { ...state, turns: [...state.turns.slice(0, -1), ...(last === undefined ? [] : [idle(last)]), turn] }
}

function idle(turn: Turn): Turn {
  return turn.heard === null ? { ...turn, idle: true } : turn
}

function withCaller(state: Conversation, id: string): Conversation {
  if (state.items.some((item) => item.id === id)) return state
  return { ...state, items: [...state.items, { kind: 'caller', id, text: null }] }
}

function withAgent(state: Conversation, id: string, responseId: string, at: number): Conversation {
  if (state.items.some((item) => item.id === id)) return state
  const item: AgentItem = {
    kind: 'agent',
    id,
    responseId,
    phrases: [],
    received: 0,
    played: 0,
    complete: false,
    cut: null,
    bornAt: at,
  }
  return { ...state, items: [...state.items, item] }
}

export function agentItem(state: Conversation, id: string): AgentItem | null {
  const item = state.items.find((candidate) => candidate.id === id)
  return item?.kind === 'agent' ? item : null
}

function mapAgent(state: Conversation, id: string, change: (item: AgentItem) => AgentItem): Conversation {
  return {
    ...state,
    items: state.items.map((item) => (item.kind === 'agent' && item.id === id ? change(item) : item)),
  }
}

function mapTyped(state: Conversation, id: number, change: (typed: Typed) => Typed): Conversation {
  return { ...state, typed: state.typed.map((typed) => (typed.id === id ? change(typed) : typed)) }
}

function mapTurn(state: Conversation, change: (turn: Turn) => Turn): Conversation {
  const last = state.turns.at(-1)
  if (last === undefined) return state
  const next = change(last)
  return next === last ? state : { ...state, turns: [...state.turns.slice(0, -1), next] }
}

/** What is going on, in one word. */
export type Mood = 'connecting' | 'agent' | 'caller' | 'thinking' | 'listening'

export function mood(state: Conversation): Mood {
  if (state.sessionId === null) return 'connecting'
  if (state.callerSpeaks || state.typed.some((typed) => typed.state === 'speaking')) return 'caller'
  if (state.sounding !== null) return 'agent'
  const turn = state.turns.at(-1)
  const waits = turn !== undefined && turn.heard === null && !turn.idle
  if (waits || state.response !== null || state.items.length === 0) return 'thinking'
  return 'listening'
}
