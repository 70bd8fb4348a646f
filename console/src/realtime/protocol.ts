/** What of the realtime protocol is used here. Events that are not named are left alone. */
export type ServerEvent =
  | { type: 'session.created'; session: { id: string } }
  | { type: 'input_audio_buffer.speech_started'; item_id: string; audio_start_ms: number }
  | { type: 'input_audio_buffer.speech_stopped'; item_id: string; audio_end_ms: number }
  | { type: 'input_audio_buffer.committed'; item_id: string }
  | { type: 'conversation.item.input_audio_transcription.completed'; item_id: string; transcript: string }
  | { type: 'conversation.item.deleted'; item_id: string }
  | { type: 'response.created'; response: { id: string } }
  | { type: 'response.output_item.added'; response_id: string; item: { id: string; type: string } }
  | { type: 'response.output_audio_transcript.delta'; response_id: string; item_id: string; delta: string }
  | { type: 'response.output_audio.delta'; response_id: string; item_id: string; delta: string }
  | { type: 'response.output_audio.done'; item_id: string }
  | { type: 'response.done'; response: { id: string; status: string } }
  | { type: 'error'; error: { code: string | null; message: string } }

export type ClientEvent =
  | { type: 'session.update'; session: unknown }
  | { type: 'input_audio_buffer.append'; audio: string }
  | { type: 'response.cancel' }
  | { type: 'conversation.item.truncate'; item_id: string; content_index: 0; audio_end_ms: number }

const FORMAT = { type: 'audio/pcm', rate: 24_000 } as const

/** What kind of conversation is wanted: spoken, with the server listening for the end of turns. */
export const SESSION_UPDATE: ClientEvent = {
  type: 'session.update',
  session: {
    type: 'realtime',
    audio: {
      input: { format: FORMAT, transcription: { model: 'any' }, turn_detection: { type: 'server_vad' } },
      output: { format: FORMAT },
    },
  },
}

/** Reads an event; `null` if it is none. */
export function parse(text: string): ServerEvent | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string') {
      return value as ServerEvent
    }
  } catch {
    // Not JSON.
  }
  return null
}

/** The id in `/v1/calls` of the call that a session is. */
export function callIdOf(sessionId: string): string {
  return sessionId.replace(/^sess_/, 'call_')
}

/** Why a call is over, and what to do about it. */
export interface End {
  kind: 'caller' | 'agent' | 'lost'
  title: string
  detail: string
  /** Whether calling again is likely to work. */
  again: boolean
}

/** What a close code says, in words. `was_live` is whether the conversation had begun. */
export function endOf(code: number, reason: string, wasLive: boolean): End {
  switch (code) {
    case 1000:
      if (reason === 'agent_done') {
        return {
          kind: 'agent',
          title: 'The agent ended the call',
          detail: 'It said goodbye and hung up.',
          again: true,
        }
      }
      return { kind: 'caller', title: 'You hung up', detail: '', again: true }
    case 1001:
      return {
        kind: 'lost',
        title: 'The call went silent',
        detail:
          'The server heard nothing from this page for a minute and closed the line. Call again when you are ready.',
        again: true,
      }
    case 1008:
      return {
        kind: 'lost',
        title: 'The server did not understand this page',
        detail:
          'Reload the page: it may be older than the server. If it happens again, tell whoever runs it.',
        again: false,
      }
    case 1009:
      return {
        kind: 'lost',
        title: 'The page sent too much at once',
        detail: 'Reload the page and call again.',
        again: true,
      }
    case 1011:
      return {
        kind: 'lost',
        title: 'Something failed on the server',
        detail:
          'The call could not go on. What was said until then is kept. Call again; if it happens again, tell whoever runs the server.',
        again: true,
      }
    case 1012:
      return {
        kind: 'lost',
        title: 'The server is shutting down',
        detail: 'It is being restarted and ended the call between two sentences. Call again in a moment.',
        again: true,
      }
    case 1013:
      return reason === 'stalled'
        ? {
            kind: 'lost',
            title: 'This page did not keep up',
            detail:
              'The connection or this machine was too slow for the sound of the call. Close other programs or change the network, then call again.',
            again: true,
          }
        : {
            kind: 'lost',
            title: 'All lines are taken',
            detail: 'As many calls are under way as the server holds. Wait a moment, then call again.',
            again: true,
          }
    default:
      return wasLive
        ? {
            kind: 'lost',
            title: 'The call was lost',
            detail: 'The connection to the server broke off. What was said until then is kept. Call again.',
            again: true,
          }
        : {
            kind: 'lost',
            title: 'The call did not come about',
            detail: 'The server did not take it. Call again in a moment.',
            again: true,
          }
  }
}
