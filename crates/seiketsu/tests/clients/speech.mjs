// What the clients in JavaScript share: recordings that are said in real time, and events that are kept for `events_*`,
// which check them.

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const PIECE_MS = 100;
const PIECE = 24 * PIECE_MS * 2;
// The silence behind a recording, in pieces, if nobody answers.
const SILENCE = 40;
const PATIENCE_MS = 30_000;

/** The samples of a recording (24 kHz, 16 bit, mono). */
function samples(path) {
  const wav = readFileSync(path);
  let format;
  for (let at = 12; at + 8 <= wav.length; ) {
    const [name, length] = [wav.toString('latin1', at, at + 4), wav.readUInt32LE(at + 4)];
    const chunk = wav.subarray(at + 8, at + 8 + length);
    if (name === 'fmt ') format = [chunk.readUInt16LE(2), chunk.readUInt32LE(4), chunk.readUInt16LE(14)].join();
    if (name === 'data' && format === '1,24000,16') return chunk;
    at += 8 + length + (length % 2);
  }
  return fail(`${path} is no recording of 24 kHz, 16 bit, mono`);
}

/** Appends a recording piece by piece, each in its time, then silence until somebody answers. */
export async function inRealTime(path, append, isAnswered) {
  const audio = samples(path);
  const begun = performance.now();
  const words = Math.ceil(audio.length / PIECE);
  for (let n = 0; n < words + SILENCE; n++) {
    await sleep(Math.max(0, begun + n * PIECE_MS - performance.now()));
    if (n >= words && isAnswered()) return;
    append(n < words ? audio.subarray(n * PIECE, (n + 1) * PIECE) : Buffer.alloc(PIECE));
  }
}

/** How long sound is, and how loud. */
export function heard(pieces) {
  const audio = Buffer.concat(pieces);
  let loudest = 0;
  for (let at = 0; at + 1 < audio.length; at += 2) loudest = Math.max(loudest, Math.abs(audio.readInt16LE(at)));
  return { audio_ms: Math.floor(audio.length / 48), loudest };
}

/** What comes, in its order, for whom waits. */
export class Inbox {
  #come = [];
  #waiting;

  put(item) {
    this.#come.push(item);
    this.#waiting?.();
  }

  async take() {
    if (this.#come.length === 0) {
      await new Promise((resolve) => {
        const patience = setTimeout(() => fail(`nothing came within ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
        this.#waiting = () => {
          clearTimeout(patience);
          resolve();
        };
      });
    }
    return this.#come.shift();
  }
}

/** Keeps events as the server sent them, one on a line; nowhere without a path. */
export function keeper(path) {
  if (path) writeFileSync(path, '');
  return (event) => path && appendFileSync(path, `${JSON.stringify(event)}\n`);
}

/** Ends the run. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}
