import { memo, useEffect, useRef } from 'react'
import { useStore } from '../api/store'
import { milliseconds, seconds } from '../format'
import type { Call } from '../realtime/call'
import type { AgentItem, CallerItem, Conversation, Turn, Typed } from '../realtime/conversation'
import { split } from '../realtime/reveal'
import { PROMISE_MS } from '../realtime/waterfall'

/** Whether less motion is wanted. */
function calm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches
}

/** What both sides say, as it is spoken and heard. */
export function Transcript({ call }: { call: Call }) {
  const { conversation, agent, phase } = useStore(call.state)
  const end = useRef<HTMLDivElement>(null)
  const follows = useRef(true)
  useEffect(() => {
    const look = (): void => {
      const box = end.current?.getBoundingClientRect()
      follows.current = box === undefined || box.top < innerHeight + 60
    }
    addEventListener('scroll', look, { passive: true })
    return () => removeEventListener('scroll', look)
  }, [])
  const { items, typed } = conversation
  const grown = items.length + typed.length
  const sounding = items.find((item) => item.id === conversation.sounding)
  const heard = sounding?.kind === 'agent' ? Math.floor(sounding.played / 12_000) : 0
  useEffect(() => {
    if (follows.current && phase !== 'over')
      end.current?.scrollIntoView({ block: 'end', behavior: calm() ? 'instant' : 'smooth' })
  }, [grown, heard, phase])
  const waiting = typed.length > 0
  return (
    <section className="transcript" aria-labelledby="transcript-title">
      <h2 id="transcript-title" className="hidden-but-said">
        Transcript
      </h2>
      <ol className="script" data-testid="transcript">
        {items.map((item) =>
          item.kind === 'agent' ? (
            <AgentLine
              key={item.id}
              item={item}
              name={agent.name}
              language={agent.language}
              sounds={conversation.sounding === item.id}
              turn={conversation.turns.find((turn) => turn.item === item.id) ?? null}
            />
          ) : (
            <CallerLine
              key={item.id}
              item={item}
              language={agent.language}
              hidden={item.text === null && waiting}
              over={phase === 'over'}
            />
          ),
        )}
        {typed.map((one) => (
          <TypedLine
            key={`typed-${one.id}`}
            typed={one}
            language={agent.language}
            forget={() => call.forget(one.id)}
          />
        ))}
      </ol>
      <div ref={end} className="transcript-end" />
      <Announcer conversation={conversation} name={agent.name} />
    </section>
  )
}

const AgentLine = memo(function AgentLine(props: {
  item: AgentItem
  name: string
  language: string
  sounds: boolean
  turn: Turn | null
}) {
  const { item, name, language, sounds, turn } = props
  const { heard, rest } = split(item)
  if (heard === '' && item.cut === null) return null
  return (
    <li className="line-of-script" data-who="agent" data-sounds={sounds} data-testid="agent-line">
      <span className="speaker">{name}</span>
      <p className="said" lang={language}>
        {heard}
        {item.cut !== null && (
          <>
            {rest !== '' && <del className="unheard">{rest}</del>}
            <span className="note" lang="en">
              {item.cut.by === 'button' ? ' (interrupted by you)' : ' (interrupted)'}
            </span>
          </>
        )}
      </p>
      {turn !== null && turn.heard !== null && <Wait turn={turn} ms={turn.heard - turn.zero} />}
    </li>
  )
})

function Wait({ turn, ms }: { turn: Turn; ms: number }) {
  const about = turn.by === 'microphone' ? 'about ' : ''
  return (
    <p className="wait" data-late={ms > PROMISE_MS} title={milliseconds(ms)}>
      <span className="hidden-but-said">heard after </span>
      {about}
      {seconds(ms)}
      {ms > PROMISE_MS && <span className="hidden-but-said">, later than two seconds</span>}
    </p>
  )
}

const CallerLine = memo(function CallerLine(props: {
  item: CallerItem
  language: string
  hidden: boolean
  over: boolean
}) {
  const { item, language, hidden, over } = props
  if (hidden || (item.text === null && over)) return null
  return (
    <li className="line-of-script" data-who="caller" data-testid="caller-line">
      <span className="speaker">You</span>
      {item.text === null ? (
        <p className="said pending">…</p>
      ) : item.text === '' ? (
        <p className="said pending">(nothing was understood)</p>
      ) : (
        <p className="said" lang={language}>
          {item.text}
        </p>
      )}
    </li>
  )
})

const TYPED: Record<Typed['state'], string> = {
  preparing: 'is made speech…',
  speaking: 'is spoken for you…',
  spoken: 'was spoken for you',
  failed: 'was not said',
}

function TypedLine({ typed, language, forget }: { typed: Typed; language: string; forget: () => void }) {
  return (
    <li className="line-of-script" data-who="caller" data-testid="typed-line">
      <span className="speaker">You</span>
      <p className="said pending" lang={language}>
        {typed.text}
        <span className="note" lang="en">
          {` (${TYPED[typed.state]}${typed.problem === undefined ? '' : `: ${typed.problem}`})`}
        </span>
        {typed.state === 'failed' && (
          <button type="button" className="link" lang="en" onClick={forget}>
            Take it away
          </button>
        )}
      </p>
    </li>
  )
}

/** Says to a screen reader what was said, a whole utterance at a time. */
function Announcer({ conversation, name }: { conversation: Conversation; name: string }) {
  const lines = conversation.items.flatMap((item) => {
    if (item.kind === 'caller') {
      return item.text === null || item.text === '' ? [] : [{ id: item.id, text: `You: ${item.text}` }]
    }
    const over =
      item.cut !== null ||
      (item.complete && conversation.sounding !== item.id && item.played >= item.received * 0.98)
    if (!over) return []
    const { heard } = split(item)
    return [{ id: item.id, text: `${name}: ${heard}${item.cut === null ? '' : ' – interrupted'}` }]
  })
  return (
    <div className="hidden-but-said" aria-live="polite" aria-relevant="additions">
      {lines.slice(-6).map((line) => (
        <p key={line.id}>{line.text}</p>
      ))}
    </div>
  )
}
