import type { PlayerNote, PlayerOrder } from './messages'

declare const currentTime: number
declare const sampleRate: number

interface Queued {
  item: string
  samples: Int16Array
  at: number
}

/** 50 ms. */
const REPORT_EVERY = 1_200
/** 100 ms. */
const TICK_EVERY = 2_400
/** 5 ms: what is broken off fades, so that it does not click. */
const FADE = 120

/** Plays what it is given, piece behind piece, and says what was played. */
class Player extends AudioWorkletProcessor {
  #queue: Queued[] = []
  #pieces = 0
  #fading: Float32Array = new Float32Array(0)
  /** The item of the last sample that was played, and how many of it. */
  #item: string | null = null
  #samples = 0
  #peak = 0
  #sinceReport = 0
  #sinceTick = 0
  #drained = true

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<PlayerOrder>) => {
      if (data.type === 'play') {
        this.#pieces++
        this.#queue.push({ item: data.item, samples: data.samples, at: 0 })
      } else this.#flush()
    }
  }

  #tell(note: PlayerNote): void {
    this.port.postMessage(note)
  }

  #flush(): void {
    const next = this.#queue[0]
    const was = !this.#drained
    if (next !== undefined && was) {
      const tail = next.samples.subarray(next.at, next.at + FADE)
      this.#fading = Float32Array.from(tail, (sample, at) => (sample / 32_768) * (1 - at / tail.length))
    }
    this.#queue = []
    this.#drained = true
    this.#tell({ type: 'flushed', item: was ? this.#item : null, samples: this.#samples })
    this.#peak = 0
    this.#sinceReport = 0
  }

  #report(): void {
    if (this.#item !== null) {
      this.#tell({ type: 'played', item: this.#item, samples: this.#samples, peak: this.#peak })
    }
    this.#peak = 0
    this.#sinceReport = 0
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const channels = outputs[0] ?? []
    const out = channels[0]
    if (out === undefined) return true
    let filled = 0
    if (this.#fading.length > 0) {
      const part = this.#fading.subarray(0, out.length)
      out.set(part)
      this.#fading = this.#fading.slice(part.length)
      filled = part.length
    }
    while (filled < out.length) {
      const next = this.#queue[0]
      if (next === undefined) break
      if (next.item !== this.#item) {
        this.#report()
        this.#item = next.item
        this.#samples = 0
        this.#tell({ type: 'first', item: next.item, time: currentTime + filled / sampleRate })
      }
      this.#drained = false
      const part = next.samples.subarray(next.at, next.at + out.length - filled)
      for (let at = 0; at < part.length; at++) {
        const value = (part[at] ?? 0) / 32_768
        out[filled + at] = value
        if (Math.abs(value) > this.#peak) this.#peak = Math.abs(value)
      }
      filled += part.length
      next.at += part.length
      this.#samples += part.length
      this.#sinceReport += part.length
      if (next.at >= next.samples.length) this.#queue.shift()
    }
    for (const other of channels.slice(1)) other.set(out)
    if (this.#sinceReport >= REPORT_EVERY) this.#report()
    if (this.#queue.length === 0 && !this.#drained) {
      this.#drained = true
      this.#report()
      this.#tell({ type: 'drained', pieces: this.#pieces })
    }
    this.#sinceTick += out.length
    if (this.#sinceTick >= TICK_EVERY) {
      this.#sinceTick -= TICK_EVERY
      this.#tell({ type: 'tick' })
    }
    return true
  }
}

registerProcessor('player', Player)
