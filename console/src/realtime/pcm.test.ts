import { expect, test } from 'vitest'
import { endOfVoice, fromBase64, RATE, rms, toBase64 } from './pcm'

test('samples survive base64, the negative ones too', () => {
  const samples = Int16Array.from({ length: 20_000 }, (_, at) => ((at * 7919) % 65_536) - 32_768)
  expect(fromBase64(toBase64(samples))).toEqual(samples)
})

test('voice ends where it becomes quiet, within ten milliseconds', () => {
  const samples = new Int16Array(RATE)
  for (let at = 2_400; at < 12_000; at++) samples[at] = 6_000 * Math.sin(at / 5)
  const end = endOfVoice(samples)
  expect(end).toBeGreaterThanOrEqual(12_000)
  expect(end).toBeLessThan(12_000 + RATE / 100)
  expect(endOfVoice(new Int16Array(RATE))).toBe(0)
})

test('full scale is one', () => {
  expect(rms(new Int16Array(10).fill(-32_768))).toBe(1)
})
