import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { session } from '../api/session'
import { useStore } from '../api/store'
import { LANGUAGES } from '../format'
import { SUGGESTIONS } from '../phrases'
import type { Call, CallState } from '../realtime/call'
import { LONGEST_TEXT } from '../realtime/speech'
import { asItIs, setAsItIs } from '../settings'
import { Level } from './level'

type Way = NonNullable<CallState['way']>

/** How the caller speaks: with their own voice, or with words that are spoken for them. */
export function Composer({ call }: { call: Call }) {
  const { ears } = useStore(session)
  const { microphone, phase, conversation, way: chosen } = useStore(call.state)
  const way: Way = chosen ?? (ears === 'sandbox' ? 'type' : 'talk')
  const raw = useStore(asItIs)
  const live = phase === 'live'
  const failed = microphone === 'refused' || microphone === 'missing' || microphone === 'failed'
  const began = useRef(false)
  useEffect(() => {
    if (way === 'talk' && live && !began.current) {
      began.current = true
      // Whoever comes back to this page may be heard already, or not at all.
      if (call.state.get().microphone === 'off') void call.listen(raw)
    }
  }, [call, live, raw, way])
  const choose = (next: Way): void => {
    call.choose(next)
    if (next === 'talk') void call.listen(raw)
    else void call.deafen()
  }
  const shown: Way = failed ? 'type' : way
  return (
    <div className="composer">
      <div className="composer-top">
        <fieldset className="segmented">
          <legend className="hidden-but-said">How you speak</legend>
          {(['type', 'talk'] as const).map((value) => (
            <label key={value}>
              <input
                type="radio"
                name="way"
                value={value}
                checked={shown === value}
                disabled={!live}
                onChange={() => choose(value)}
              />
              <span>{value === 'type' ? 'Type' : 'Talk'}</span>
            </label>
          ))}
        </fieldset>
        <p className="quiet composer-hint" data-read={conversation.turns.length > 0 && !failed}>
          {hint(shown, ears, microphone)}
        </p>
      </div>
      {shown === 'talk' ? <Talk call={call} /> : <Type call={call} live={live} />}
    </div>
  )
}

function hint(way: Way, ears: 'sandbox' | 'real', microphone: CallState['microphone']): string {
  if (microphone === 'refused')
    return 'The browser does not give the microphone to this page. Type instead: your words are spoken for you. To talk, allow the microphone beside the address, then choose “Talk”.'
  if (microphone === 'missing') return 'No microphone was found. Type instead: your words are spoken for you.'
  if (microphone === 'failed')
    return 'The microphone does not work at the moment; another program may have it. Type instead: your words are spoken for you.'
  if (way === 'type') {
    return ears === 'sandbox'
      ? 'Your words are spoken for you: this demo understands only speech that is made here.'
      : 'Your words are spoken for you, as if you had said them.'
  }
  return ears === 'sandbox'
    ? 'This demo’s recogniser only understands speech that is made here: your own voice interrupts the agent, but is not understood.'
    : 'Just speak. The agent hears when you have finished, and you can interrupt it.'
}

function Talk({ call }: { call: Call }) {
  const { microphone, muted } = useStore(call.state)
  const raw = useStore(asItIs)
  const change = async (next: boolean): Promise<void> => {
    setAsItIs(next)
    await call.deafen()
    await call.listen(next)
  }
  return (
    <div className="talk">
      {microphone === 'on' ? (
        <>
          <Level call={call} who="caller" label="Level of your microphone" />
          <button type="button" className="button" aria-pressed={muted} onClick={() => call.mute(!muted)}>
            {muted ? 'Unmute' : 'Mute'}
          </button>
          <span className="quiet">{muted ? 'The agent does not hear you.' : 'The microphone is on.'}</span>
        </>
      ) : (
        <p role="status">
          {microphone === 'starting' ? 'The browser asks for the microphone…' : 'The microphone is off.'}
        </p>
      )}
      <label className="check">
        <input type="checkbox" checked={raw} onChange={(event) => void change(event.target.checked)} />
        Send the microphone as it is
      </label>
    </div>
  )
}

function Type({ call, live }: { call: Call; live: boolean }) {
  const { agent } = useStore(call.state)
  const [text, setText] = useState('')
  const field = useRef<HTMLInputElement>(null)
  const say = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const said = text.trim()
    if (said === '' || !live) return
    setText('')
    void call.say(said)
    field.current?.focus()
  }
  return (
    <div className="type">
      <ul className="suggestions" aria-label="Something to say">
        {SUGGESTIONS[agent.language].map((sentence) => (
          <li key={sentence}>
            <button
              type="button"
              className="suggestion"
              lang={agent.language}
              disabled={!live}
              onClick={() => void call.say(sentence)}
            >
              {sentence}
            </button>
          </li>
        ))}
      </ul>
      <form className="say" onSubmit={say}>
        <label className="hidden-but-said" htmlFor="say">
          What to say, in {LANGUAGES[agent.language]}
        </label>
        <input
          ref={field}
          id="say"
          lang={agent.language}
          value={text}
          maxLength={LONGEST_TEXT}
          autoComplete="off"
          placeholder={`Say something in ${LANGUAGES[agent.language]}`}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="button primary" disabled={!live || text.trim() === ''}>
          Say it
        </button>
      </form>
    </div>
  )
}
