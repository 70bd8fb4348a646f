import { AwayError } from '../api/client'
import { lost } from '../api/connection'
import { look, session } from '../api/session'
import { Store } from '../api/store'
import type { AgentView } from '../api/types'
import { Microphone, MicrophoneError, type MicrophoneProblem } from './audio/microphone'
import { Player } from './audio/player'
import { type Action, agentItem, type Conversation, EMPTY, reduce } from './conversation'
import { fromBase64, RATE, rms, toBase64 } from './pcm'
import { callIdOf, type ClientEvent, type End, endOf, parse, SESSION_UPDATE } from './protocol'
import { speak, whyUnspoken } from './speech'
import { Uplink } from './uplink'

export type Phase = 'connecting' | 'live' | 'finishing' | 'over'

export interface CallState {
  phase: Phase
  agent: AgentView
  conversation: Conversation
  /** In `/v1/calls`. */
  callId: string | null
  /** Of `performance.now()`. */
  startedAt: number | null
  endedAt: number | null
  end: End | null
  microphone: 'off' | 'starting' | 'on' | MicrophoneProblem
  muted: boolean
  /** How the caller chose to speak; `null` until they did. */
  way: 'talk' | 'type' | null
  /** Samples of the agent that left the loudspeaker, in all. */
  heardSamples: number
}

/** What is left to play of a whole answer when a late voice comes: it may end by itself. */
const LAST_WORDS = RATE * 0.3

/** One call of an agent out of this page: the socket, the loudspeaker, the microphone, and what is known of it all. */
export class Call {
  static #count = 0
  /** Tells one call of this page from another. */
  readonly number = ++Call.#count
  readonly state: Store<CallState>
  /** How loud both sides are, 0 to 1; apart from the state, since it changes all the time. */
  readonly levels = new Store({ caller: 0, agent: 0 })

  readonly #uplink = new Uplink()
  #socket: WebSocket | null = null
  #player: Player | null = null
  #microphone: Microphone | null = null
  #speaking = new AbortController()
  #typed = 0
  /** Settled when all that was typed until now is with the uplink, or failed. */
  #inOrder: Promise<unknown> = Promise.resolve()
  /** Which opening of the microphone counts. */
  #listening = 0
  /** Items of which no more is played. */
  #cut = new Set<string>()
  #played = new Map<string, number>()
  #hungUp = false

  constructor(agent: AgentView) {
    this.state = new Store<CallState>({
      phase: 'connecting',
      agent,
      conversation: EMPTY,
      callId: null,
      startedAt: null,
      endedAt: null,
      end: null,
      microphone: 'off',
      muted: false,
      way: null,
      heardSamples: 0,
    })
  }

  /** To be called from a click. */
  async start(): Promise<void> {
    try {
      this.#player = await Player.open({
        first: (item, at) => this.#do({ type: 'heard', item, at }),
        played: (item, samples, peak) => this.#onPlayed(item, samples, peak),
        drained: () => this.#onDrained(),
        tick: () => {
          if (this.#microphone === null) this.#send100ms(null)
        },
      })
    } catch {
      this.#over({
        kind: 'lost',
        title: 'This browser cannot play the call',
        detail: 'It has no audio output, or refuses it to this page. Try another browser.',
        again: true,
      })
      return
    }
    if (this.#hungUp) return void this.#player.close()
    const { agent } = this.state.get()
    const url = new URL(`/v1/realtime?agent=${encodeURIComponent(agent.id)}`, location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url, ['realtime'])
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#onMessage(String(data))
    socket.onclose = ({ code, reason }) => void this.#onClose(code, reason)
  }

  hangUp(): void {
    this.#hungUp = true
    if (this.state.get().phase === 'over') return
    this.#socket?.close(1000)
    this.#over(endOf(1000, '', true))
  }

  /** Stops the agent in mid-sentence. */
  async interrupt(): Promise<void> {
    const { response } = this.state.get().conversation
    // First silence, and where it came: once the response is cancelled, it is too late to say.
    await this.#silence('button')
    if (response !== null && this.state.get().conversation.response === response) {
      this.#send({ type: 'response.cancel' })
    }
  }

  /** Says these words for the caller. */
  async say(text: string): Promise<void> {
    const { phase, agent } = this.state.get()
    if (phase !== 'live') return
    const id = ++this.#typed
    this.#do({ type: 'typed', id, text })
    const { signal } = this.#speaking
    // Made at the same time, said in the order in which they were typed.
    const both = Promise.allSettled([speak(text, agent.language, signal), this.#inOrder])
    this.#inOrder = both
    const [speech] = await both
    if (signal.aborted) return
    if (speech.status === 'fulfilled') this.#uplink.say(id, speech.value)
    else this.#do({ type: 'typed-failed', id, problem: whyUnspoken(speech.reason) })
  }

  /** A message that could not be said is taken away. */
  forget(id: number): void {
    this.#do({ type: 'typed-dropped', ids: [id] })
  }

  /** Kept here: the call goes on while other pages are looked at. */
  choose(way: 'talk' | 'type'): void {
    this.state.update({ way })
  }

  async listen(asItIs: boolean): Promise<void> {
    const { microphone, phase } = this.state.get()
    if (microphone === 'starting' || microphone === 'on' || phase !== 'live') return
    const mine = ++this.#listening
    this.state.update({ microphone: 'starting' })
    try {
      const opened = await Microphone.open(
        asItIs,
        (samples) => this.#onMicrophone(samples),
        () => {
          if (mine === this.#listening) void this.deafen('missing')
        },
      )
      // While the browser asked, the caller may have thought better of it.
      if (mine !== this.#listening || this.state.get().phase !== 'live') return void opened.close()
      this.#microphone = opened
      this.state.update({ microphone: 'on', muted: false })
    } catch (error) {
      if (mine !== this.#listening) return
      this.state.update({ microphone: error instanceof MicrophoneError ? error.problem : 'failed' })
    }
  }

  async deafen(as: CallState['microphone'] = 'off'): Promise<void> {
    this.#listening++
    const microphone = this.#microphone
    this.#microphone = null
    this.state.update({ microphone: as, muted: false })
    this.levels.update({ caller: 0 })
    await microphone?.close()
  }

  mute(muted: boolean): void {
    this.state.update({ muted })
    if (muted) this.levels.update({ caller: 0 })
  }

  // ---- up ------------------------------------------------------------------------------------------------------

  #onMicrophone(samples: Int16Array): void {
    const { muted } = this.state.get()
    if (!muted) this.levels.update({ caller: rms(samples) })
    this.#send100ms(muted ? null : samples)
  }

  #send100ms(heard: Int16Array | null): void {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.state.get().callId === null) return
    const { samples, notes } = this.#uplink.next(performance.now(), heard)
    this.#send({ type: 'input_audio_buffer.append', audio: toBase64(samples) })
    for (const note of notes) {
      if (note.kind === 'speaking') this.#do({ type: 'typed-speaking', id: note.id })
      else this.#do({ type: 'typed-spoken', id: note.id, at: note.at })
    }
  }

  #send(event: ClientEvent): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(event))
  }

  // ---- down ----------------------------------------------------------------------------------------------------

  #onMessage(text: string): void {
    const event = parse(text)
    if (event === null || this.state.get().phase === 'over') return
    const at = performance.now()
    switch (event.type) {
      case 'session.created':
        this.#send(SESSION_UPDATE)
        this.#do({ type: 'event', event, at })
        this.state.update({ phase: 'live', callId: callIdOf(event.session.id), startedAt: at })
        return
      case 'response.output_audio.delta': {
        const samples = fromBase64(event.delta)
        this.#do({ type: 'event', event, at, samples: samples.length })
        if (!this.#cut.has(event.item_id)) this.#player?.play(event.item_id, samples)
        return
      }
      case 'input_audio_buffer.speech_started':
        this.#do({ type: 'event', event, at })
        if (!this.#endsByItself()) void this.#silence('caller')
        return
      case 'input_audio_buffer.speech_stopped':
        this.#do({ type: 'event', event, at, spokenAt: this.#uplink.timeOf(event.audio_end_ms) ?? at })
        return
      default:
        this.#do({ type: 'event', event, at })
    }
  }

  /** The answer has come whole, and its last sound is on its way out: no voice can interrupt it any more. */
  #endsByItself(): boolean {
    const { conversation } = this.state.get()
    const item = conversation.sounding === null ? null : agentItem(conversation, conversation.sounding)
    const last = conversation.items.findLast((candidate) => candidate.kind === 'agent')
    return item !== null && item.complete && last?.id === item.id && item.received - item.played <= LAST_WORDS
  }

  async #silence(by: 'caller' | 'button'): Promise<void> {
    const player = this.#player
    // A voice while nothing is heard may be a cough, after which the answer comes; a button is meant.
    if (player === null || (by === 'caller' && !player.isBusy)) return
    const { conversation } = this.state.get()
    // What is still to come of all that was said goes nowhere.
    const waiting = conversation.items.filter(
      (item) => item.kind === 'agent' && item.cut === null && (item.played < item.received || !item.complete),
    )
    for (const item of waiting) this.#cut.add(item.id)
    const { item, samples } = player.isBusy ? await player.flush() : { item: null, samples: 0 }
    for (const cut of waiting) {
      if (cut.id !== item) this.#do({ type: 'cut', item: cut.id, samples: this.#played.get(cut.id) ?? 0, by })
    }
    this.levels.update({ agent: 0 })
    this.#finish()
    if (item === null) return
    const heard = Math.max(0, samples - (player.latencyMs / 1_000) * RATE)
    this.#do({ type: 'cut', item, samples: heard, by })
    this.#send({
      type: 'conversation.item.truncate',
      item_id: item,
      content_index: 0,
      audio_end_ms: Math.floor((heard / RATE) * 1_000),
    })
  }

  #onPlayed(item: string, samples: number, peak: number): void {
    const before = this.#played.get(item) ?? 0
    this.#played.set(item, samples)
    this.state.update({ heardSamples: this.state.get().heardSamples + Math.max(0, samples - before) })
    this.levels.update({ agent: peak })
    this.#do({ type: 'played', item, samples, at: performance.now() })
  }

  #onDrained(): void {
    this.levels.update({ agent: 0 })
    this.#do({ type: 'silent' })
    this.#finish()
  }

  /** Ends a call whose agent has hung up, when the last sample has come through the browser's output. */
  #finish(): void {
    const { phase, end } = this.state.get()
    if (phase !== 'finishing' || end === null) return
    setTimeout(() => this.#over(end), this.#player?.latencyMs ?? 0)
  }

  async #onClose(code: number, reason: string): Promise<void> {
    const { phase, callId } = this.state.get()
    if (phase === 'over') return
    const end = endOf(code, reason, callId !== null)
    if (end.kind === 'agent') {
      // Its last words are still to be heard.
      this.state.update({ phase: 'finishing', end })
      void this.deafen()
      if (this.#player?.isBusy !== true) this.#finish()
      return
    }
    this.#over(end)
    if (code !== 1006) return
    try {
      await look()
      if (session.get().status === 'in' && callId === null) {
        this.state.update({
          end: {
            ...end,
            detail: 'The server did not take it: all lines may be taken. Call again in a moment.',
          },
        })
      }
    } catch (error) {
      if (error instanceof AwayError) lost()
    }
  }

  // ---- both ----------------------------------------------------------------------------------------------------

  #do(action: Action): void {
    const { conversation } = this.state.get()
    const next = reduce(conversation, action)
    if (next !== conversation) this.state.update({ conversation: next })
  }

  #over(end: End): void {
    if (this.state.get().phase === 'over') return
    this.#speaking.abort()
    this.#do({ type: 'over' })
    this.#do({ type: 'typed-dropped', ids: this.state.get().conversation.typed.map((typed) => typed.id) })
    this.state.update({ phase: 'over', end, endedAt: performance.now() })
    this.levels.set({ caller: 0, agent: 0 })
    this.#listening++
    const microphone = this.#microphone
    this.#microphone = null
    void microphone?.close()
    void this.#player?.close()
    this.state.update({ microphone: 'off', muted: false })
    if (this.#socket !== null) this.#socket.onmessage = null
  }
}
