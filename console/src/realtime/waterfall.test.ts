import { expect, test } from 'vitest'
import { axis, verdict, waterfall } from './waterfall'

const us = (ms: number): number => 5_000_000 + ms * 1_000

/** The first turn of the README. */
const turn = {
  stages_us: {
    end_of_speech: us(0),
    endpointed: us(300),
    final_transcript: us(301),
    request_sent: us(173),
    first_token: us(560),
    first_phrase: us(1_520),
    synthesis_asked: us(1_520),
    first_byte: us(1_908),
    first_audio_sent: us(1_950),
    first_audio_played: us(2_980),
  },
  announcement_sent_us: us(1_400),
  announcement_played_us: us(1_420),
}

test('the rows are those of the terminal', () => {
  const lines = waterfall(turn).map(({ label, at, added }) => `${label} ${at} +${added}`)
  expect(lines).toEqual([
    'endpointing 300 +300',
    'final transcript 301 +301',
    'request sent 173 +0',
    'first token 560 +259',
    'first phrase 1520 +960',
    'synthesis asked 1520 +0',
    'first byte of speech 1908 +388',
    'first audio sent 1950 +42',
    'first audio played 2980 +1030',
    'announcement heard 1420 +0',
  ])
})

test('recognition and endpointing run side by side from the end of speech, the request is earlier than both', () => {
  const [endpointing, transcript, request, token] = waterfall(turn)
  expect([endpointing?.start, transcript?.start]).toEqual([0, 0])
  expect([request?.start, request?.at]).toEqual([173, 173])
  expect(token?.start).toBe(301)
})

test('a greeting answers nobody and has no waterfall', () => {
  expect(waterfall({ stages_us: { first_audio_sent: us(1) } })).toEqual([])
})

test('the axis always shows the promise', () => {
  expect(axis([400, null])).toBe(2_100)
  expect(axis([2_980])).toBe(3_200)
})

test('the promise is kept at two seconds sharp', () => {
  expect(verdict(2_000)).toEqual({ kept: true, words: 'first audio after 2,000 ms, within the two seconds' })
  expect(verdict(2_001).words).toBe('first audio after 2,001 ms: later than two seconds')
  expect(verdict(null).kept).toBeNull()
})
