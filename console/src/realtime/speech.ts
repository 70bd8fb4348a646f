import { AwayError, call, ProblemError } from '../api/client'
import type { Language } from '../api/types'

/** The longest text that is spoken at once. */
export const LONGEST_TEXT = 500

/** Makes speech out of words: PCM of 24 kHz. */
export async function speak(text: string, language: Language, signal: AbortSignal): Promise<Int16Array> {
  const response = await call('POST', '/v1/speech', {
    body: { text, language },
    signal,
    accept: 'audio/pcm, application/problem+json',
  })
  const bytes = new DataView(await response.arrayBuffer())
  const samples = new Int16Array(bytes.byteLength >> 1)
  for (let at = 0; at < samples.length; at++) samples[at] = bytes.getInt16(2 * at, true)
  return samples
}

/** Why words were not spoken, for whoever typed them. */
export function whyUnspoken(error: unknown): string {
  if (error instanceof AwayError) return 'The server is away.'
  if (!(error instanceof ProblemError)) return 'The words could not be made speech.'
  const { type, title, detail } = error.problem
  const wait = error.retryAfterSeconds
  const again = `Try again in ${wait === null ? 'a moment' : `${wait} s`}.`
  if (type === 'urn:seiketsu:problem:busy') return `Too much is being said at once. ${again}`
  if (type === 'urn:seiketsu:problem:speechless') return `The voice is away at the moment. ${again}`
  return (detail ?? null) === null ? `${title}.` : `${title}: ${detail}.`
}
