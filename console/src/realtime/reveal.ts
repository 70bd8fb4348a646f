import { RATE } from './pcm'

/** Words, and from which sample of the item on they sound. */
export interface Phrase {
  text: string
  from: number
}

export interface Sounding {
  phrases: readonly Phrase[]
  /** Samples that have come. */
  received: number
  /** Samples that were played. */
  played: number
  /** No more will come. */
  complete: boolean
}

/** So many samples a character takes, until it is known better. */
const SAMPLES_PER_CHARACTER: Record<'spaced' | 'dense', number> = { spaced: RATE / 15, dense: RATE / 4.5 }
const DENSE = /[\u3040-\u30ff\u3400-\u9fff]/

/** Splits what was said into what was heard by now and the rest, at a word. */
export function split(sounding: Sounding, played: number = sounding.played): { heard: string; rest: string } {
  const { phrases, received, complete } = sounding
  let heard = ''
  let rest = ''
  phrases.forEach((phrase, at) => {
    const next = phrases[at + 1]
    const end = next?.from ?? (complete ? received : Math.max(received, phrase.from + guess(phrase.text)))
    const share = end <= phrase.from ? (played >= end ? 1 : 0) : (played - phrase.from) / (end - phrase.from)
    const cut = cutAt(phrase.text, share)
    heard += phrase.text.slice(0, cut)
    rest += phrase.text.slice(cut)
  })
  return { heard, rest }
}

function guess(text: string): number {
  return text.length * SAMPLES_PER_CHARACTER[DENSE.test(text) ? 'dense' : 'spaced']
}

/** Where a text is cut of which this share has sounded: behind the word that is sounding. */
function cutAt(text: string, share: number): number {
  if (share <= 0) return 0
  if (share >= 1) return text.length
  const at = Math.ceil(text.length * share)
  if (DENSE.test(text)) return at
  const space = text.indexOf(' ', at)
  return space === -1 ? text.length : space
}
