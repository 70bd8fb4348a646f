import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Given {
  program: string
  args: string[]
  env: Record<string, string>
  url: string
  speech?: { question?: string }
}

/** The sentence of the question, as the recogniser writes it. */
export const QUESTION = 'i am looking for a three bedroom house to buy'

const START_DEADLINE_MS = 90_000
const STOP_DEADLINE_MS = 20_000
const PORT = 8199

/** The server under test: as `SEIKETSU_SERVER` says, or else this checkout's own. */
export class Server {
  readonly url: string
  readonly #given: Given
  #process: ChildProcess | null = null
  #said = ''

  constructor() {
    const given = process.env['SEIKETSU_SERVER']
    if (given !== undefined) {
      this.#given = JSON.parse(given) as Given
    } else {
      const stateDirectory = join(import.meta.dirname, '..', '..', 'target', 'console-e2e')
      mkdirSync(stateDirectory, { recursive: true })
      this.#given = {
        program: join(import.meta.dirname, '..', '..', 'target', 'local', 'seiketsu'),
        args: ['up', '--port', String(PORT)],
        env: { STATE_DIR: stateDirectory, ADMIN_LISTEN: `127.0.0.1:${PORT + 1_000}` },
        url: `http://localhost:${PORT}`,
      }
    }
    this.url = this.#given.url
  }

  async start(): Promise<void> {
    const { program, args, env } = this.#given
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    this.#said = ''
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`the server ${why}:\n${this.#said.slice(-4_000)}`))
      const timer = setTimeout(() => fail('was not ready in time'), START_DEADLINE_MS)
      const onExit = (code: number | null): void => fail(`ended with ${code}`)
      let ready = false
      child.once('error', (error) => fail(`did not start (${error.message})`))
      child.once('exit', onExit)
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-100_000)
        if (ready || !this.#said.includes('Ready after')) return
        ready = true
        clearTimeout(timer)
        child.off('exit', onExit)
        resolve()
      })
    })
  }

  async stop(): Promise<void> {
    const child = this.#process
    this.#process = null
    if (child === null || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
    await ended
    clearTimeout(timer)
  }

  /** What it said last, for a test that fails. */
  get said(): string {
    return this.#said.slice(-4_000)
  }

  /** The question as PCM of 24 kHz, if it was given. */
  question(): Int16Array | null {
    const path = this.#given.speech?.question
    return path === undefined ? null : samplesOf(readFileSync(path))
  }
}

/** The samples of a WAV of 16 bits. */
export function samplesOf(wav: Buffer): Int16Array {
  for (let at = 12; at + 8 <= wav.length;) {
    const size = wav.readUInt32LE(at + 4)
    if (wav.toString('latin1', at, at + 4) === 'data') {
      const bytes = wav.subarray(at + 8, at + 8 + size)
      return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)))
    }
    at += 8 + size + (size & 1)
  }
  throw new Error('not a WAV')
}

/** A WAV of one channel with 24,000 samples a second. */
export function wavOf(samples: Int16Array): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + samples.byteLength, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(24_000, 24)
  header.writeUInt32LE(48_000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([header, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)])
}
