/** Sound of one rate turned into another, piece by piece: a windowed sinc, so that nothing folds down into the voice. */
export class Resampler {
  readonly #step: number
  readonly #half: number
  readonly #table: Float32Array
  #kept: Float32Array
  /** Where the next sample out lies, in samples of `#kept`. */
  #at: number

  static readonly #PHASES = 64
  static readonly #LOBES = 16

  constructor(from: number, to: number) {
    this.#step = from / to
    const cutoff = Math.min(1, to / from) * 0.94
    this.#half = Math.ceil(Resampler.#LOBES / cutoff)
    const phases = Resampler.#PHASES
    const length = 2 * this.#half
    this.#table = new Float32Array((phases + 1) * length)
    for (let phase = 0; phase <= phases; phase++) {
      let sum = 0
      for (let tap = 0; tap < length; tap++) {
        const x = tap - this.#half + 1 - phase / phases
        const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x)
        const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / this.#half)
        const value = Math.abs(x) >= this.#half ? 0 : sinc * window
        this.#table[phase * length + tap] = value
        sum += value
      }
      const row = this.#table.subarray(phase * length, (phase + 1) * length)
      row.forEach((value, tap) => (row[tap] = value / sum))
    }
    this.#kept = new Float32Array(this.#half)
    this.#at = this.#half
  }

  push(input: Float32Array): Float32Array {
    const all = new Float32Array(this.#kept.length + input.length)
    all.set(this.#kept)
    all.set(input, this.#kept.length)
    const length = 2 * this.#half
    const out: number[] = []
    while (Math.floor(this.#at) + this.#half < all.length) {
      const whole = Math.floor(this.#at)
      const phase = Math.round((this.#at - whole) * Resampler.#PHASES)
      const first = whole - this.#half + 1
      let sum = 0
      for (let tap = 0; tap < length; tap++)
        sum += (all[first + tap] ?? 0) * (this.#table[phase * length + tap] ?? 0)
      out.push(sum)
      this.#at += this.#step
    }
    const drop = Math.max(0, Math.floor(this.#at) - this.#half + 1)
    this.#kept = all.slice(drop)
    this.#at -= drop
    return Float32Array.from(out)
  }
}
