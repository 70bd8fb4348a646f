import { PIECE, RATE } from '../pcm'
import { Resampler } from '../resample'

declare const sampleRate: number

/** Hands on what the microphone hears, at 24 kHz, in pieces of 100 ms. */
class Microphone extends AudioWorkletProcessor {
  readonly #resampler = sampleRate === RATE ? null : new Resampler(sampleRate, RATE)
  #piece = new Int16Array(PIECE)
  #filled = 0

  process(inputs: Float32Array[][]): boolean {
    const heard = inputs[0]?.[0]
    if (heard === undefined) return true
    const samples = this.#resampler === null ? heard : this.#resampler.push(heard)
    for (const sample of samples) {
      this.#piece[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32_767
      if (this.#filled === PIECE) {
        this.port.postMessage(this.#piece, [this.#piece.buffer])
        this.#piece = new Int16Array(PIECE)
        this.#filled = 0
      }
    }
    return true
  }
}

registerProcessor('microphone', Microphone)
