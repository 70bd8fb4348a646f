import type { Language } from './api/types'

/** What one might say first, in the agent's language; in the sandbox all of these are understood. */
export const SUGGESTIONS: Record<Language, readonly string[]> = {
  en: ['I am looking for a three bedroom house to buy', 'Can I leave a message', 'Can I talk to a person'],
  es: [
    'Busco una casa de tres habitaciones para comprar',
    'Quiero dejar un mensaje',
    '¿Puedo hablar con una persona?',
  ],
  zh: ['我想买一套三个卧室的房子', '我想留言', '我想跟人说话'],
}

const ABILITIES: readonly [string, string][] = [
  ['search_listings', 'finds homes'],
  ['book_viewing', 'books and moves viewings'],
  ['take_message', 'takes messages'],
  ['transfer_to_human', 'puts you through to people'],
]

/** What an agent can do, out of the names of its tools, as one sentence. */
export function abilities(tools: readonly string[]): string {
  const able = ABILITIES.filter(([tool]) => tools.includes(tool)).map(([, words]) => words)
  const last = able.pop()
  if (last === undefined) return 'Talks.'
  const sentence = able.length === 0 ? last : `${able.join(', ')} and ${last}`
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`
}
