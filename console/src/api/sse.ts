/** One server-sent event. */
export interface SentEvent {
  event: string
  data: string
}

/** Reads `text/event-stream` as it comes, in pieces cut anywhere. */
export class EventStreamParser {
  #rest = ''
  #event = ''
  #data: string[] = []

  push(text: string): SentEvent[] {
    const events: SentEvent[] = []
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) {
          events.push({ event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') })
        }
        this.#event = ''
        this.#data = []
        continue
      }
      const colon = line.indexOf(':')
      const field = colon === -1 ? line : line.slice(0, colon)
      const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'event') this.#event = value
      if (field === 'data') this.#data.push(value)
    }
    return events
  }
}
