// Events of a server against the schemas of the `@openai/agents-realtime` library, as published.
//
// Usage: events_zod.mjs FILE
// FILE has one event on a line, as `--events` of the other scripts writes it. Prints one JSON document about what was
// checked; an event that the schemas do not know ends this with a message.

import { readFileSync } from 'node:fs';
import { complaint } from './schemas.mjs';
import { fail } from './speech.mjs';

const [path] = process.argv.slice(2);
const events = readFileSync(path, 'utf8').split('\n').filter(Boolean).map(JSON.parse);
const problems = events.flatMap((event, n) => {
  const found = complaint(event);
  return found ? [`line ${n + 1}: ${event.type}: ${found}`] : [];
});
if (problems.length > 0 || events.length === 0) fail(problems.join('\n') || `${path} has no events`);
console.log(JSON.stringify({ events: events.length, kinds: [...new Set(events.map((event) => event.type))].sort() }));
