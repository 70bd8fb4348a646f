import { endOfVoice, PIECE, RATE } from './pcm'

interface Said {
  id: number
  samples: Int16Array
  at: number
  voiceEnds: number
  begun: boolean
  over: boolean
}

export type UplinkNote =
  | { kind: 'speaking'; id: number }
  /** The last voiced sample is on its way; it was spoken at this time. */
  | { kind: 'spoken'; id: number; at: number }

/**
 * What goes up to the server: one unbroken stream in real time. Typed words that were made speech go first, then the
 * microphone, then silence. Pure: who calls it brings the time.
 */
export class Uplink {
  #said: Said[] = []
  #sent: { upTo: number; at: number }[] = []
  #total = 0

  /** Typed words, as speech. */
  say(id: number, samples: Int16Array): void {
    this.#said.push({ id, samples, at: 0, voiceEnds: endOfVoice(samples), begun: false, over: false })
  }

  /** The next 100 ms, which were "now" until `now`; `heard` is what the microphone has. */
  next(now: number, heard: Int16Array | null): { samples: Int16Array; notes: UplinkNote[] } {
    const notes: UplinkNote[] = []
    const samples = new Int16Array(PIECE)
    let filled = 0
    while (filled < PIECE) {
      const said = this.#said[0]
      if (said === undefined) break
      if (!said.begun) {
        said.begun = true
        notes.push({ kind: 'speaking', id: said.id })
      }
      const part = said.samples.subarray(said.at, said.at + PIECE - filled)
      samples.set(part, filled)
      const before = said.at
      said.at += part.length
      if (!said.over && said.at >= said.voiceEnds) {
        said.over = true
        const position = filled + said.voiceEnds - before
        notes.push({ kind: 'spoken', id: said.id, at: now - ((PIECE - position) / RATE) * 1_000 })
      }
      filled += part.length
      if (said.at >= said.samples.length) this.#said.shift()
    }
    if (filled === 0 && heard !== null) samples.set(heard.subarray(0, PIECE))
    this.#total += PIECE
    this.#sent.push({ upTo: this.#total, at: now })
    if (this.#sent.length > 1_200) this.#sent.shift()
    return { samples, notes }
  }

  /** When the sample at this place of the whole stream was spoken; `null` if that is not known (any more). */
  timeOf(streamMs: number): number | null {
    const sample = (streamMs / 1_000) * RATE
    const piece = this.#sent.find((sent) => sent.upTo >= sample)
    if (piece === undefined) return null
    return piece.at - ((piece.upTo - sample) / RATE) * 1_000
  }
}
