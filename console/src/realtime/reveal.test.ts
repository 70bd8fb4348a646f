import { expect, test } from 'vitest'
import { split } from './reveal'

const item = {
  phrases: [
    { text: 'We have three.', from: 0 },
    { text: ' Which one?', from: 24_000 },
  ],
  received: 48_000,
  played: 0,
  complete: true,
}

test('nothing is shown before it sounds, and all of it when it has', () => {
  expect(split(item, 0)).toEqual({ heard: '', rest: 'We have three. Which one?' })
  expect(split(item, 48_000)).toEqual({ heard: 'We have three. Which one?', rest: '' })
})

test('a phrase is shown word by word in the time it takes', () => {
  expect(split(item, 2_000).heard).toBe('We')
  expect(split(item, 12_000).heard).toBe('We have')
  expect(split(item, 24_000).heard).toBe('We have three.')
  expect(split(item, 30_000).heard).toBe('We have three. Which')
})

test('a phrase of which only the beginning has come is not thought to be short', () => {
  const coming = {
    ...item,
    phrases: [{ text: 'We have three homes in Riverside.', from: 0 }],
    received: 4_800,
    complete: false,
  }
  expect(split(coming, 4_800).heard).toBe('We have')
})

test('words without sound are not heard', () => {
  const mute = { phrases: [{ text: 'Hello.', from: 0 }], received: 0, played: 0, complete: false }
  expect(split(mute)).toEqual({ heard: '', rest: 'Hello.' })
})

test('Chinese has no spaces and is shown sign by sign', () => {
  const chinese = {
    phrases: [{ text: '我找到三套', from: 0 }],
    received: 24_000,
    played: 12_000,
    complete: true,
  }
  expect(split(chinese).heard).toBe('我找到')
})
