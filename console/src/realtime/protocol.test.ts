import { expect, test } from 'vitest'
import { callIdOf, endOf, parse } from './protocol'

test('every close code is said in words, with what to do', () => {
  const codes: [number, string][] = [
    [1001, 'idle'],
    [1006, ''],
    [1008, 'binary'],
    [1009, 'too_large'],
    [1011, 'unavailable'],
    [1011, 'session_lost'],
    [1012, 'draining'],
    [1013, 'full'],
    [1013, 'stalled'],
    [4_999, ''],
  ]
  for (const [code, reason] of codes) {
    const end = endOf(code, reason, true)
    expect(end.kind, `${code} ${reason}`).toBe('lost')
    expect(end.title).not.toBe('')
    expect(end.detail).toMatch(/[Cc]all again|Reload/)
  }
  expect(endOf(1013, 'full', true).title).not.toBe(endOf(1013, 'stalled', true).title)
})

test('who hung up is told apart', () => {
  expect(endOf(1000, 'agent_done', true).kind).toBe('agent')
  expect(endOf(1000, '', true).kind).toBe('caller')
  expect(endOf(1006, '', false).title).toBe('The call did not come about')
})

test('what is no event is none, and a session is a call by the same name', () => {
  expect(parse('hello')).toBeNull()
  expect(parse('{"no":"type"}')).toBeNull()
  expect(parse('{"type":"session.updated"}')).toEqual({ type: 'session.updated' })
  expect(callIdOf('sess_01m8mgft')).toBe('call_01m8mgft')
})
