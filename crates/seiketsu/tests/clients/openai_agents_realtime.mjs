// A spoken turn and a tool round trip with the `@openai/agents-realtime` library for Node, as published.
//
// Usage: openai_agents_realtime.mjs URL KEY AGENT QUESTION.wav TOOL_QUESTION.wav [--events FILE]
// URL is that of the API, such as http://127.0.0.1:8080/v1. The recordings are 24 kHz, 16 bit, mono. Prints one JSON
// document about what was seen. The library runs the tool and keeps the history; an event that its schemas do not know,
// which it would pass over in silence, ends this with a message.

import { inspect, parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { z } from 'zod';
import { complaint } from './schemas.mjs';
import { Inbox, fail, heard, inRealTime, keeper } from './speech.mjs';

const { values, positionals } = parseArgs({ options: { events: { type: 'string' } }, allowPositionals: true });
const [url, apiKey, model, question, toolQuestion] = positionals;
const keep = keeper(values.events);
const turns = new Inbox();
const kinds = new Set();
const ran = [];
let turn = { audio: [] };

const officeWeather = tool({
  name: 'office_weather',
  description: 'The weather at the office.',
  parameters: z.object({}),
  execute: async () => ({ sky: 'sunny' }),
});
const agent = new RealtimeAgent({ name: 'office', instructions: 'The office is in Austin.', tools: [officeWeather] });
const transport = new OpenAIRealtimeWebSocket({ url: `${url.replace('http', 'ws')}/realtime?model=${model}` });
const session = new RealtimeSession(agent, { transport });

session.on('error', ({ error }) => fail(`the library found an error: ${error?.message ?? inspect(error)}`));
session.on('transport_event', (event) => {
  keep(event);
  kinds.add(event.type);
  const found = complaint(event);
  if (found) fail(`the library does not recognise ${JSON.stringify(event).slice(0, 2_000)}: ${found}`);
  if (event.type === 'response.done') turn.status = event.response.status;
});
session.on('audio', (event) => turn.audio.push(Buffer.from(event.data)));
session.on('agent_tool_end', (_context, _agent, { name }, output) => ran.push({ tool: name, output }));
session.on('agent_end', (_context, _agent, text) => {
  turns.put({ status: turn.status, agent: text, ...heard(turn.audio) });
  turn = { audio: [] };
});
transport.on('disconnected', () => turns.put({ status: 'disconnected' }));

async function next() {
  const ended = await turns.take();
  if (ended.status === 'disconnected') fail('the server closed the connection');
  return ended;
}

/** Says a recording; the turn that answers it. */
async function ask(path) {
  let isOver = false;
  const append = (audio) => session.sendAudio(Uint8Array.from(audio).buffer);
  const saying = inRealTime(path, append, () => isOver || turn.audio.length > 0);
  const ended = await next();
  isOver = true;
  await saying;
  return ended;
}

/** An item of the library's history. */
function told(item) {
  if (item.type === 'function_call') return { tool: item.name, output: item.output };
  return { [item.role]: item.content.map((part) => part.transcript ?? '').join('') };
}

await session.connect({ apiKey });
const greeting = await next();
// The greeting is heard before anybody answers it.
await sleep(greeting.audio_ms);
const answer = await ask(question);
await sleep(answer.audio_ms);
const wants = await ask(toolQuestion);
const toldTurn = await next();
console.log(
  JSON.stringify({
    greeting,
    answer,
    wants,
    told: toldTurn,
    ran,
    history: session.history.map(told),
    tokens: session.usage.totalTokens,
    kinds: [...kinds].sort(),
  }),
);
session.close();
