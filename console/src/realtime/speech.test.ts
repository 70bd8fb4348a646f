import { expect, test } from 'vitest'
import { AwayError, ProblemError } from '../api/client'
import { whyUnspoken } from './speech'

function problem(type: string, title: string, status: number, detail: string | null = null): ProblemError {
  return new ProblemError({ type, title, status, detail }, status === 503 ? 2 : null)
}

test('why words were not spoken is said with a way on', () => {
  const busy = problem('urn:seiketsu:problem:busy', 'Too many connections at the moment', 503)
  expect(whyUnspoken(busy)).toBe('Too much is being said at once. Try again in 2 s.')
  const speechless = problem('urn:seiketsu:problem:speechless', 'The words could not be spoken', 503, 'away')
  expect(whyUnspoken(speechless)).toBe('The voice is away at the moment. Try again in 2 s.')
  expect(whyUnspoken(new ProblemError(busy.problem, null))).toBe(
    'Too much is being said at once. Try again in a moment.',
  )
})

test('other troubles are said as the server says them', () => {
  const bad = problem('urn:seiketsu:problem:bad-body', 'The body is not valid', 400, 'text: too long')
  expect(whyUnspoken(bad)).toBe('The body is not valid: text: too long.')
  expect(whyUnspoken(problem('about:blank', 'No', 400))).toBe('No.')
  expect(whyUnspoken(new AwayError())).toBe('The server is away.')
  expect(whyUnspoken(new RangeError())).toBe('The words could not be made speech.')
})
