import { expect, test } from 'vitest'
import { clock, length, moment, nextDay, phone, startOfDay } from './format'

test('a day begins at midnight where the brokerage is, also when the clock changes', () => {
  expect(startOfDay('2026-11-29', 'America/New_York')).toBe('2026-11-29T05:00:00.000Z')
  expect(startOfDay('2026-07-01', 'America/Los_Angeles')).toBe('2026-07-01T07:00:00.000Z')
  expect(startOfDay('2026-11-01', 'America/Chicago')).toBe('2026-11-01T05:00:00.000Z')
  expect(startOfDay('2026-11-02', 'America/Chicago')).toBe('2026-11-02T06:00:00.000Z')
  expect(startOfDay('2026-03-08', 'America/New_York')).toBe('2026-03-08T05:00:00.000Z')
  expect(startOfDay('soon', 'America/New_York')).toBeNull()
  expect(nextDay('2026-12-31')).toBe('2027-01-01')
})

test('what is no day has no next one', () => {
  for (const text of ['', 'soon', '2026-13-01', '99999-01-01']) expect(nextDay(text), text).toBe('')
  expect(startOfDay(nextDay('soon'), 'America/New_York')).toBeNull()
})

test('times name their zone', () => {
  expect(moment('2026-11-29T20:04:00Z', 'America/New_York')).toMatch(/^Nov 29, 2026, 3:04\sPM EST$/)
})

test('lengths have units', () => {
  expect(length(0)).toBe('0 s')
  expect(length(59_600)).toBe('1 min')
  expect(length(245_000)).toBe('4 min 5 s')
  expect(length(3_660_000)).toBe('1 h 1 min')
  expect(clock(245_000)).toBe('4:05')
  expect(clock(3_605_000)).toBe('1:00:05')
})

test('numbers of North America are grouped', () => {
  expect(phone('+13055550122')).toBe('+1 305 555 0122')
  expect(phone('+4930123456')).toBe('+4930123456')
})
