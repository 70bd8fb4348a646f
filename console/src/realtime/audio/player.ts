import { RATE } from '../pcm'
import type { PlayerNote, PlayerOrder } from './messages'
import workletUrl from './player.worklet.ts?worker&url'

export interface PlayerListener {
  /** The first sample of an item leaves the loudspeaker at this time of `performance.now()`. */
  first(item: string, at: number): void
  played(item: string, samples: number, peak: number): void
  drained(): void
  /** Another 100 ms have passed. */
  tick(): void
}

/** The loudspeaker: plays items behind each other and knows how much of each was heard. */
export class Player {
  readonly #context: AudioContext
  readonly #node: AudioWorkletNode
  readonly #listener: PlayerListener
  #flushed: ((flushed: { item: string | null; samples: number }) => void)[] = []
  #busy = false
  /** Handed over, in all. */
  #pieces = 0

  private constructor(context: AudioContext, listener: PlayerListener) {
    this.#context = context
    this.#listener = listener
    this.#node = new AudioWorkletNode(context, 'player', { numberOfInputs: 0, outputChannelCount: [1] })
    this.#node.port.onmessage = ({ data }: MessageEvent<PlayerNote>) => this.#take(data)
    this.#node.connect(context.destination)
  }

  /** To be called from a click: browsers play nothing unasked. */
  static async open(listener: PlayerListener): Promise<Player> {
    const context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' })
    try {
      await Promise.all([context.resume(), context.audioWorklet.addModule(workletUrl)])
      return new Player(context, listener)
    } catch (error) {
      await context.close()
      throw error
    }
  }

  /** From a sample that is handed over until it is heard, in milliseconds. */
  get latencyMs(): number {
    const { baseLatency, outputLatency } = this.#context
    return ((Number.isFinite(outputLatency) ? outputLatency : 0) + baseLatency) * 1_000
  }

  get isBusy(): boolean {
    return this.#busy
  }

  play(item: string, samples: Int16Array): void {
    this.#busy = true
    this.#pieces++
    this.#order({ type: 'play', item, samples }, [samples.buffer])
  }

  /** Stops at once; answers what was being played, and how much of it. */
  flush(): Promise<{ item: string | null; samples: number }> {
    this.#busy = false
    this.#order({ type: 'flush' })
    return new Promise((resolve) => this.#flushed.push(resolve))
  }

  async close(): Promise<void> {
    this.#node.port.onmessage = null
    this.#node.disconnect()
    if (this.#context.state !== 'closed') await this.#context.close()
  }

  #order(order: PlayerOrder, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(order, transfer)
  }

  #take(note: PlayerNote): void {
    switch (note.type) {
      case 'first': {
        const ago = (this.#context.currentTime - note.time) * 1_000
        this.#listener.first(note.item, performance.now() - ago + this.latencyMs)
        return
      }
      case 'played':
        this.#listener.played(note.item, note.samples, note.peak)
        return
      case 'drained':
        // Another piece may have crossed it on its way.
        if (note.pieces !== this.#pieces) return
        this.#busy = false
        this.#listener.drained()
        return
      case 'flushed':
        this.#flushed.shift()?.({ item: note.item, samples: note.samples })
        return
      case 'tick':
        this.#listener.tick()
    }
  }
}
