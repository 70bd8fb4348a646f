import { expect, test } from 'vitest'
import { type Action, agentItem, type Conversation, EMPTY, mood, reduce } from './conversation'
import type { ServerEvent } from './protocol'
import { split } from './reveal'

function after(...actions: Action[]): Conversation {
  return actions.reduce(reduce, EMPTY)
}

function on(at: number, event: ServerEvent, more: { spokenAt?: number; samples?: number } = {}): Action {
  return { type: 'event', event, at, ...more }
}

const created = on(0, { type: 'session.created', session: { id: 'sess_1' } })

/** The agent says this, in the order in which the server tells it. */
function says(at: number, response: string, item: string, text: string, samples: number): Action[] {
  return [
    on(at, { type: 'response.created', response: { id: response } }),
    on(at, {
      type: 'response.output_item.added',
      response_id: response,
      item: { id: item, type: 'message' },
    }),
    on(at, {
      type: 'response.output_audio_transcript.delta',
      response_id: response,
      item_id: item,
      delta: text,
    }),
    on(
      at,
      { type: 'response.output_audio.delta', response_id: response, item_id: item, delta: '' },
      { samples },
    ),
    on(at, { type: 'response.output_audio.done', item_id: item }),
    on(at, { type: 'response.done', response: { id: response, status: 'completed' } }),
  ]
}

function understood(at: number, item: string, transcript: string): Action[] {
  return [
    on(at, { type: 'input_audio_buffer.committed', item_id: item }),
    on(at, { type: 'conversation.item.input_audio_transcription.completed', item_id: item, transcript }),
  ]
}

test('a typed turn is timed from the last voiced sample to the first sample that is heard', () => {
  const state = after(
    created,
    ...says(100, 'r0', 'a0', 'Hello.', 24_000),
    { type: 'heard', item: 'a0', at: 150 },
    { type: 'played', item: 'a0', samples: 24_000, at: 1_200 },
    { type: 'silent' },
    { type: 'typed', id: 1, text: 'do you have homes' },
    { type: 'typed-speaking', id: 1 },
    { type: 'typed-spoken', id: 1, at: 5_000 },
    ...understood(5_400, 'c1', 'do you have homes'),
    ...says(5_900, 'r1', 'a1', 'We have three.', 24_000),
    { type: 'heard', item: 'a1', at: 6_200 },
  )
  expect(state.turns).toEqual([
    {
      number: 1,
      by: 'typed',
      zero: 5_000,
      understood: 5_400,
      begun: 5_900,
      received: 5_900,
      heard: 6_200,
      item: 'a1',
      idle: false,
    },
  ])
  expect(state.typed).toEqual([])
  expect(state.items.map((item) => item.id)).toEqual(['a0', 'c1', 'a1'])
})

test('the server also tells the end of typed speech, which is the same end', () => {
  const state = after(
    created,
    { type: 'typed', id: 1, text: 'hello' },
    { type: 'typed-speaking', id: 1 },
    on(900, { type: 'input_audio_buffer.speech_started', item_id: 'c1', audio_start_ms: 0 }),
    { type: 'typed-spoken', id: 1, at: 1_000 },
    on(
      1_300,
      { type: 'input_audio_buffer.speech_stopped', item_id: 'c1', audio_end_ms: 990 },
      { spokenAt: 990 },
    ),
  )
  expect(state.turns).toHaveLength(1)
  expect(state.turns[0]).toMatchObject({ by: 'typed', zero: 1_000 })
})

test('a pause in typed speech is not its end', () => {
  const state = after(
    created,
    { type: 'typed', id: 1, text: 'well, hello' },
    { type: 'typed-speaking', id: 1 },
    on(
      900,
      { type: 'input_audio_buffer.speech_stopped', item_id: 'c1', audio_end_ms: 600 },
      { spokenAt: 600 },
    ),
  )
  expect(state.turns).toEqual([])
})

test('a microphone turn begins where the server heard the voice end', () => {
  const state = after(
    created,
    on(500, { type: 'input_audio_buffer.speech_started', item_id: 'c1', audio_start_ms: 0 }),
    on(
      2_400,
      { type: 'input_audio_buffer.speech_stopped', item_id: 'c1', audio_end_ms: 0 },
      { spokenAt: 2_080 },
    ),
  )
  expect(state.turns[0]).toMatchObject({ by: 'microphone', zero: 2_080, heard: null })
  expect(mood(state)).toBe('thinking')
})

test('a caller who goes on before the answer waits from the new end', () => {
  const state = after(
    created,
    on(
      1_000,
      { type: 'input_audio_buffer.speech_stopped', item_id: 'c1', audio_end_ms: 0 },
      { spokenAt: 900 },
    ),
    ...understood(1_300, 'c1', 'do you have'),
    on(1_500, { type: 'conversation.item.deleted', item_id: 'c1' }),
    on(
      2_500,
      { type: 'input_audio_buffer.speech_stopped', item_id: 'c2', audio_end_ms: 0 },
      { spokenAt: 2_200 },
    ),
    ...understood(2_700, 'c2', 'do you have homes'),
  )
  expect(state.turns).toHaveLength(1)
  expect(state.turns[0]).toMatchObject({ number: 1, zero: 2_200, understood: 2_700 })
  expect(state.items).toEqual([{ kind: 'caller', id: 'c2', text: 'do you have homes' }])
})

test('what the agent was saying before does not answer what is said over it', () => {
  const state = after(
    created,
    ...says(100, 'r0', 'a0', 'We have three homes in Riverside.', 96_000),
    { type: 'heard', item: 'a0', at: 150 },
    { type: 'typed', id: 1, text: 'wait' },
    { type: 'typed-speaking', id: 1 },
    { type: 'typed-spoken', id: 1, at: 1_000 },
    { type: 'played', item: 'a0', samples: 40_000, at: 1_800 },
    { type: 'heard', item: 'a0', at: 1_800 },
  )
  expect(state.turns[0]?.heard).toBeNull()
})

test('a murmur that stops nothing is no turn to wait for', () => {
  const state = after(
    created,
    ...says(100, 'r0', 'a0', 'We have three homes in Riverside.', 240_000),
    { type: 'typed', id: 1, text: 'mm-hm' },
    { type: 'typed-spoken', id: 1, at: 1_000 },
    { type: 'played', item: 'a0', samples: 90_000, at: 4_200 },
  )
  expect(state.turns[0]).toMatchObject({ heard: null, idle: true })
})

test('an interruption keeps what was heard and shows what was not', () => {
  const state = after(
    created,
    ...says(100, 'r0', 'a0', 'We have three homes in Riverside.', 48_000),
    { type: 'heard', item: 'a0', at: 150 },
    { type: 'played', item: 'a0', samples: 12_000, at: 700 },
    on(800, { type: 'input_audio_buffer.speech_started', item_id: 'c1', audio_start_ms: 600 }),
    { type: 'cut', item: 'a0', samples: 14_400, by: 'caller' },
    { type: 'played', item: 'a0', samples: 24_000, at: 900 },
  )
  const item = agentItem(state, 'a0')
  expect(item?.cut).toEqual({ by: 'caller', played: 14_400 })
  expect(item && split(item)).toEqual({ heard: 'We have three', rest: ' homes in Riverside.' })
  expect(mood(state)).toBe('caller')
})

test('what was understood takes away the typed words that are over, not those that are being spoken', () => {
  const two: Action[] = [
    created,
    { type: 'typed', id: 1, text: 'do you have homes' },
    { type: 'typed', id: 2, text: 'in riverside' },
    { type: 'typed', id: 3, text: 'with a garden' },
    { type: 'typed-speaking', id: 1 },
    { type: 'typed-spoken', id: 1, at: 1_000 },
    { type: 'typed-speaking', id: 2 },
  ]
  const first = after(...two, ...understood(1_400, 'c1', 'do you have homes'))
  expect(first.typed.map(({ id, state }) => `${id} ${state}`)).toEqual(['2 speaking', '3 preparing'])
})

test('words that are understood before their last sound is sent are over as well', () => {
  const state = after(
    created,
    { type: 'typed', id: 1, text: 'do you have homes' },
    { type: 'typed', id: 2, text: 'in riverside' },
    { type: 'typed-speaking', id: 1 },
    ...understood(1_400, 'c1', 'do you have homes'),
  )
  expect(state.typed.map((typed) => typed.id)).toEqual([2])
})

test('a response that comes after a cancelled one is another one', () => {
  const state = after(
    created,
    on(10, { type: 'response.created', response: { id: 'r1' } }),
    on(20, { type: 'response.created', response: { id: 'r2' } }),
    on(30, { type: 'response.done', response: { id: 'r1', status: 'cancelled' } }),
  )
  expect(state.response).toBe('r2')
})

test('a call that is over waits for nothing', () => {
  const state = after(created, { type: 'typed-spoken', id: 1, at: 10 }, { type: 'over' })
  expect(state.turns[0]?.idle).toBe(true)
})
