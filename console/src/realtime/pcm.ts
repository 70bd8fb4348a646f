/** Samples a second, in both directions. */
export const RATE = 24_000
/** What is sent at a time: 100 ms. */
export const PIECE = RATE / 10

/** 10 ms: what loudness is measured over. */
const WINDOW = RATE / 100
/** Quieter than this (about -50 dBFS) is not voice. */
const VOICE_RMS = 0.003

export function toBase64(samples: Int16Array): string {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  let text = ''
  for (let at = 0; at < bytes.length; at += 8_192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  }
  return btoa(text)
}

export function fromBase64(text: string): Int16Array {
  const bytes = atob(text)
  const samples = new Int16Array(bytes.length >> 1)
  for (let at = 0; at < samples.length; at++) {
    // Little-endian, whatever this machine is; the shift brings the sign.
    samples[at] = bytes.charCodeAt(2 * at) | (bytes.charCodeAt(2 * at + 1) << 8)
  }
  return samples
}

/** The loudness of these samples, 0 to 1. */
export function rms(samples: Int16Array): number {
  if (samples.length === 0) return 0
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return Math.sqrt(sum / samples.length) / 32_768
}

/** How many samples there are up to the last one with voice in it; 0 if there is no voice. */
export function endOfVoice(samples: Int16Array): number {
  for (let end = samples.length; end > 0; end -= WINDOW) {
    if (rms(samples.subarray(Math.max(0, end - WINDOW), end)) >= VOICE_RMS) return end
  }
  return 0
}
