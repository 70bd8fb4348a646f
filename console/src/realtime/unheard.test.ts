import { expect, test } from 'vitest'
import { unheardOf } from './unheard'

test('what was not heard is what follows the last word that was', () => {
  const of = (heard: string, meant: string): string => unheardOf({ heard_text: heard, generated_text: meant })
  expect(of('I found eight.', 'I found eight. Seventeen hundred Flagler Row.')).toBe(
    'Seventeen hundred Flagler Row.',
  )
  expect(of('Let me search our homes. I found eight.', 'I found eight. Which one?')).toBe('Which one?')
  expect(of('One moment.', 'I found eight.')).toBe('I found eight.')
  expect(of('Let me search. I found', 'Let me search.I found eight.')).toBe('eight.')
  expect(of('', 'I found eight.')).toBe('I found eight.')
  expect(of('I found eight.', 'I found eight.')).toBe('')
  expect(of('我来找一下房子。我找到', '我找到三套。')).toBe('三套。')
})
