// A spoken turn and a tool round trip with the `openai` library for Node, as published.
//
// Usage: openai_node.mjs BASE_URL KEY AGENT QUESTION.wav TOOL_QUESTION.wav [--events FILE]
// The library speaks TLS only: BASE_URL is such as https://localhost:8443/v1, and NODE_EXTRA_CA_CERTS names who vouches
// for the server. The recordings are 24 kHz, 16 bit, mono. Prints one JSON document about what was seen.

import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { Inbox, fail, heard, inRealTime, keeper } from './speech.mjs';

const { values, positionals } = parseArgs({ options: { events: { type: 'string' } }, allowPositionals: true });
const [baseURL, apiKey, model, question, toolQuestion] = positionals;
const keep = keeper(values.events);
const inbox = new Inbox();
const kinds = new Set();
let isAnswered = false;

const connection = new OpenAIRealtimeWS({ model }, new OpenAI({ baseURL, apiKey }));
connection.on('error', (error) => fail(`an error: ${error.message}`));
connection.on('event', (event) => {
  keep(event);
  kinds.add(event.type);
  inbox.put(event);
});
connection.socket.on('close', (code) => inbox.put({ type: `closed with ${code}` }));

async function until(kind) {
  for (;;) {
    const event = await inbox.take();
    if (event.type.startsWith('closed')) fail(event.type);
    if (event.type === kind) return event;
  }
}

/** Everything up to the end of a response. */
async function response() {
  const turn = { caller: null, agent: '', audio: [], calls: [] };
  for (;;) {
    const event = await inbox.take();
    if (event.type === 'response.output_audio_transcript.delta') {
      turn.agent += event.delta;
    } else if (event.type === 'response.output_audio.delta') {
      isAnswered = true;
      turn.audio.push(Buffer.from(event.delta, 'base64'));
    } else if (event.type === 'conversation.item.input_audio_transcription.completed') {
      turn.caller = event.transcript;
    } else if (event.type === 'response.output_item.done' && event.item.type === 'function_call') {
      turn.calls.push(event.item);
    } else if (event.type === 'response.done') {
      const { audio, ...rest } = turn;
      const { status, usage } = event.response;
      return { status, ...rest, ...heard(audio), tokens: usage?.total_tokens ?? null };
    } else if (event.type.startsWith('closed')) {
      fail(event.type);
    }
  }
}

/** Says a recording; the response to it. */
async function ask(path) {
  isAnswered = false;
  let isOver = false;
  const append = (audio) => connection.send({ type: 'input_audio_buffer.append', audio: audio.toString('base64') });
  const saying = inRealTime(path, append, () => isAnswered || isOver);
  const turn = await response();
  isOver = true;
  await saying;
  return turn;
}

const created = await until('session.created');
connection.send({
  type: 'session.update',
  session: {
    type: 'realtime',
    instructions: 'The office is in Austin.',
    audio: { input: { transcription: { model: 'any' } } },
    tools: [
      {
        type: 'function',
        name: 'office_weather',
        description: 'The weather at the office.',
        parameters: { type: 'object', properties: {} },
      },
    ],
  },
});
await until('session.updated');
const greeting = await response();
// The greeting is heard before anybody answers it.
await sleep(greeting.audio_ms);
const answer = await ask(question);
await sleep(answer.audio_ms);

const wants = await ask(toolQuestion);
if (wants.calls.length !== 1) fail(`one call was expected: ${JSON.stringify(wants)}`);
const output = { type: 'function_call_output', call_id: wants.calls[0].call_id, output: '{"sky":"sunny"}' };
connection.send({ type: 'conversation.item.create', item: output });
connection.send({ type: 'response.create' });
const told = await response();

for (const turn of [greeting, answer, wants, told]) turn.calls = turn.calls.map((call) => call.name);
console.log(
  JSON.stringify({ session: created.session.type, greeting, answer, wants, told, kinds: [...kinds].sort() }),
);
connection.close();
