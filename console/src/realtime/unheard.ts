import type { TurnView } from '../api/types'

const DENSE = /[\u3040-\u30ff\u3400-\u9fff]/

/**
 * What the agent meant to say and the caller did not hear. What was heard may begin with an acknowledgement that was not
 * generated, and ends somewhere within what was. Blanks do not count: phrases are put together in different ways.
 */
export function unheardOf(turn: Pick<TurnView, 'generated_text' | 'heard_text'>): string {
  const meant = turn.generated_text.trim()
  const heard = turn.heard_text.trim()
  for (let from = 0; from < heard.length; from = next(heard, from)) {
    const end = endOf(meant, heard.slice(from))
    if (end !== null) return meant.slice(end).trim()
  }
  return meant
}

/** Where in `text` this beginning of it ends; `null` if it does not begin so. */
function endOf(text: string, beginning: string): number | null {
  let at = 0
  for (const sign of beginning.replace(/\s+/g, '')) {
    while (/\s/.test(text.charAt(at))) at += 1
    if (!text.startsWith(sign, at)) return null
    at += sign.length
  }
  return at
}

/** Where the next word begins; of a text without spaces, the next sign. */
function next(text: string, from: number): number {
  if (DENSE.test(text)) return from + 1
  const space = text.indexOf(' ', from)
  return space === -1 ? text.length : space + 1
}
