// Events of a server against the types of the `openai` library for Node, as published, by the TypeScript compiler.
//
// Usage: events_types.mjs FILE
// FILE has one event on a line, as `--events` of the other scripts writes it. Prints one JSON document about what was
// checked; a type error, and a field that the types do not have is one, ends this with a message.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { fail } from './speech.mjs';

// Where the library is, so that the compiler finds it as well.
const modules = fileURLToPath(new URL('..', import.meta.resolve('openai')));
const tsc = join(modules, 'typescript/bin/tsc');
const [path] = process.argv.slice(2);
const events = readFileSync(path, 'utf8').split('\n').filter(Boolean).map(JSON.parse);
if (events.length === 0) fail(`${path} has no events`);
// A server's session has these, OpenAI's as well; the types know it as a request only.
for (const { session } of events) for (const name of ['id', 'object', 'expires_at']) delete session?.[name];

const scratch = mkdtempSync(join(modules, '.events-'));
process.on('exit', () => rmSync(scratch, { recursive: true }));
// One event on a line here as well.
const head = "import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime'; ";
const source = events.map((event, n) => `export const event${n}: RealtimeServerEvent = ${JSON.stringify(event)};`);
writeFileSync(join(scratch, 'events.ts'), head + source.join('\n'));
// The types do not say where a server writes null for what is not there.
const options = '--noEmit --strict --strictNullChecks false --skipLibCheck --module nodenext --pretty false'.split(' ');
try {
  execFileSync(process.execPath, [tsc, ...options, join(scratch, 'events.ts')], { encoding: 'utf8' });
} catch (error) {
  fail(error.stdout?.replaceAll(/^.*events\.ts/gm, path) || error.message);
}
console.log(JSON.stringify({ events: events.length, kinds: [...new Set(events.map((event) => event.type))].sort() }));
