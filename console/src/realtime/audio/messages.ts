/** To the player. */
export type PlayerOrder = { type: 'play'; item: string; samples: Int16Array } | { type: 'flush' }

/** From the player. `time` is the time of its audio context, in seconds. */
export type PlayerNote =
  | { type: 'first'; item: string; time: number }
  | { type: 'played'; item: string; samples: number; peak: number }
  /** Nothing is left of so many pieces that came, in all. */
  | { type: 'drained'; pieces: number }
  | { type: 'flushed'; item: string | null; samples: number }
  /** Another 100 ms of the output have passed. */
  | { type: 'tick' }
