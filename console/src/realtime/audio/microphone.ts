import workletUrl from './microphone.worklet.ts?worker&url'

export type MicrophoneProblem = 'refused' | 'missing' | 'failed'

export class MicrophoneError extends Error {
  readonly problem: MicrophoneProblem

  constructor(problem: MicrophoneProblem) {
    super(problem)
    this.problem = problem
  }
}

/** The microphone, at 24 kHz, in pieces of 100 ms. */
export class Microphone {
  readonly #stream: MediaStream
  readonly #context: AudioContext

  private constructor(stream: MediaStream, context: AudioContext) {
    this.#stream = stream
    this.#context = context
  }

  /** `asItIs`: without echo cancellation, noise suppression and gain control. */
  static async open(
    asItIs: boolean,
    heard: (samples: Int16Array) => void,
    gone: () => void,
  ): Promise<Microphone> {
    const processed = !asItIs
    const stream = await listen({
      audio: {
        echoCancellation: processed,
        noiseSuppression: processed,
        autoGainControl: processed,
        channelCount: 1,
      },
    })
    let context: AudioContext | null = null
    try {
      // At the rate of the device: not every browser takes a stream into a context of another rate.
      context = new AudioContext()
      await context.audioWorklet.addModule(workletUrl)
      await context.resume()
      const node = new AudioWorkletNode(context, 'microphone', { numberOfOutputs: 0, channelCount: 1 })
      node.port.onmessage = ({ data }: MessageEvent<Int16Array>) => heard(data)
      context.createMediaStreamSource(stream).connect(node)
      for (const track of stream.getTracks()) track.addEventListener('ended', gone)
      return new Microphone(stream, context)
    } catch {
      for (const track of stream.getTracks()) track.stop()
      await context?.close()
      throw new MicrophoneError('failed')
    }
  }

  async close(): Promise<void> {
    for (const track of this.#stream.getTracks()) track.stop()
    if (this.#context.state !== 'closed') await this.#context.close()
  }
}

async function listen(constraints: MediaStreamConstraints): Promise<MediaStream> {
  // Absent where the page did not come over HTTPS or from this machine.
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (devices === undefined) throw new MicrophoneError('missing')
  try {
    return await devices.getUserMedia(constraints)
  } catch (error) {
    const name = error instanceof DOMException ? error.name : ''
    if (name === 'NotAllowedError' || name === 'SecurityError') throw new MicrophoneError('refused')
    if (name === 'NotFoundError' || name === 'OverconstrainedError') throw new MicrophoneError('missing')
    throw new MicrophoneError('failed')
  }
}
