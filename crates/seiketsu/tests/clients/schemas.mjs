// The schemas by which `@openai/agents-realtime` knows a server's events. It does not export them; what they do not
// know it calls generic, and passes over.

const library = import.meta.resolve('@openai/agents-realtime');
const { realtimeServerEventSchema } = await import(new URL('openaiRealtimeEvents.mjs', library));

/** What the library has against an event; nothing if it is one. */
export function complaint(event) {
  const { error } = realtimeServerEventSchema.safeParse(event);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}
