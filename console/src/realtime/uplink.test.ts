import { expect, test } from 'vitest'
import { PIECE, RATE } from './pcm'
import { Uplink } from './uplink'

function speech(ms: number, silenceMs: number): Int16Array {
  const samples = new Int16Array(((ms + silenceMs) * RATE) / 1_000)
  for (let at = 0; at < (ms * RATE) / 1_000; at++) samples[at] = 8_000 * Math.sin(at / 4)
  return samples
}

test('with nothing to say there is silence, in pieces of 100 ms', () => {
  const { samples, notes } = new Uplink().next(100, null)
  expect(samples).toEqual(new Int16Array(PIECE))
  expect(notes).toEqual([])
})

test('the end of speech is known to the sample, as if it had been spoken while it was sent', () => {
  const uplink = new Uplink()
  uplink.say(1, speech(230, 400))
  expect(uplink.next(1_000, null).notes).toEqual([{ kind: 'speaking', id: 1 }])
  expect(uplink.next(1_100, null).notes).toEqual([])
  // The third piece is the time from 1,100 to 1,200; 30 ms of it are voice.
  expect(uplink.next(1_200, null).notes).toEqual([{ kind: 'spoken', id: 1, at: 1_130 }])
})

test('what was typed goes before the microphone, which is heard again afterwards', () => {
  const uplink = new Uplink()
  const heard = new Int16Array(PIECE).fill(7)
  uplink.say(1, speech(50, 10))
  expect(uplink.next(100, heard).samples.includes(7)).toBe(false)
  expect(uplink.next(200, heard).samples).toEqual(heard)
})

test('two sentences follow each other without a gap', () => {
  const uplink = new Uplink()
  uplink.say(1, speech(50, 0))
  uplink.say(2, speech(50, 0))
  const { notes } = uplink.next(100, null)
  expect(notes.map((note) => `${note.kind} ${note.id}`)).toEqual([
    'speaking 1',
    'spoken 1',
    'speaking 2',
    'spoken 2',
  ])
})

test('a place in the stream is a time, also where the stream stood still', () => {
  const uplink = new Uplink()
  uplink.next(1_000, null)
  uplink.next(1_100, null)
  uplink.next(1_700, null)
  expect(uplink.timeOf(50)).toBe(950)
  expect(uplink.timeOf(200)).toBe(1_100)
  expect(uplink.timeOf(250)).toBe(1_650)
  expect(uplink.timeOf(301)).toBeNull()
})
