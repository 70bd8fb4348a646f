import { expect, test } from 'vitest'
import { Resampler } from './resample'

function tone(hertz: number, rate: number, seconds: number): Float32Array {
  return Float32Array.from({ length: rate * seconds }, (_, at) => Math.sin((2 * Math.PI * hertz * at) / rate))
}

function through(resampler: Resampler, input: Float32Array, piece: number): Float32Array {
  const out: number[] = []
  for (let at = 0; at < input.length; at += piece) out.push(...resampler.push(input.subarray(at, at + piece)))
  return Float32Array.from(out)
}

function loudness(samples: Float32Array): number {
  const middle = samples.subarray(1_000, samples.length - 1_000)
  return Math.sqrt(middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length)
}

test.each([48_000, 44_100, 16_000, 24_000])('a voice of %i Hz keeps its length and its loudness', (rate) => {
  const out = through(new Resampler(rate, 24_000), tone(1_000, rate, 1), 128)
  expect(Math.abs(out.length - 24_000)).toBeLessThan(64)
  expect(loudness(out)).toBeCloseTo(Math.SQRT1_2, 2)
})

test('what the lower rate cannot hold is gone, and does not come back as something else', () => {
  expect(loudness(through(new Resampler(48_000, 24_000), tone(15_000, 48_000, 1), 128))).toBeLessThan(0.003)
})

test('how the sound is cut into pieces makes no difference', () => {
  const input = tone(440, 44_100, 0.5)
  const whole = through(new Resampler(44_100, 24_000), input, input.length)
  expect(through(new Resampler(44_100, 24_000), input, 37)).toEqual(whole)
})
