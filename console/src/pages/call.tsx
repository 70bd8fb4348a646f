import { useEffect, useRef } from 'react'
import { get } from '../api/client'
import { useResource } from '../api/resource'
import { session } from '../api/session'
import { useStore } from '../api/store'
import type { AgentView, Identity, Page } from '../api/types'
import { currentCall } from '../current-call'
import { LANGUAGES, length, phone } from '../format'
import { CallClock } from '../parts/call-clock'
import { Composer } from '../parts/composer'
import { Level } from '../parts/level'
import { Empty, Loading, ProblemNote } from '../parts/states'
import { StoredTurn } from '../parts/stored-turn'
import { Transcript } from '../parts/transcript'
import { TurnClock } from '../parts/turn-clock'
import { abilities } from '../phrases'
import { Call } from '../realtime/call'
import { type Mood, mood } from '../realtime/conversation'
import { Link } from '../router'
import { useTitle } from '../title'

function place(agent: AgentView): void {
  const call = new Call(agent)
  currentCall.set(call)
  void call.start()
}

export function CallPage({ identity }: { identity: Identity }) {
  const call = useStore(currentCall)
  return call === null ? <Choose identity={identity} /> : <OnCall key={call.number} call={call} />
}

function Choose({ identity }: { identity: Identity }) {
  const heading = useTitle('Call an agent')
  const { ears } = useStore(session)
  const { data, problem, reload } = useResource('agents', (signal) =>
    get<Page<AgentView>>('/v1/agents', { signal }),
  )
  const mayCall = identity.member.role !== 'viewer'
  return (
    <div className="page choose">
      <h1 ref={heading} tabIndex={-1}>
        Who should answer?
      </h1>
      <p className="lead">
        The agent greets you by voice at once. Then{' '}
        {ears === 'sandbox'
          ? 'type, and your words are spoken for you'
          : 'talk, or type and your words are spoken for you'}
        .
      </p>
      {!mayCall && (
        <p className="remark">
          You may look at the calls of {identity.tenant.name}, but not place any: your role is viewer.
        </p>
      )}
      {problem !== null ? (
        <ProblemNote problem={problem} retry={reload} />
      ) : data === null ? (
        <Loading what="the agents" />
      ) : data.items.length === 0 ? (
        <Empty title={`${identity.tenant.name} has no agents yet`} />
      ) : (
        <ul className="agents">
          {data.items.map((agent) => (
            <li key={agent.id} className="agent">
              <h2 className="agent-name">{agent.name}</h2>
              <p className="agent-language">Speaks {LANGUAGES[agent.language]}</p>
              <p className="agent-does">{abilities(agent.tools)}</p>
              <p className="agent-numbers">
                {agent.numbers.length === 0 ? 'No telephone number' : agent.numbers.map(phone).join(', ')}
              </p>
              <button
                type="button"
                className="button primary call-button"
                disabled={!mayCall}
                onClick={() => place(agent)}
              >
                Call<span className="hidden-but-said"> {agent.name}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function OnCall({ call }: { call: Call }) {
  const state = useStore(call.state)
  const { agent, phase, conversation, heardSamples } = state
  const heading = useTitle(
    phase === 'over' ? `Call with ${agent.name}, over` : `On a call with ${agent.name}`,
  )
  useEffect(() => {
    heading.current?.focus({ preventScroll: true })
  }, [heading])
  const how = mood(conversation)
  const turn = conversation.turns.at(-1) ?? null
  return (
    <div
      className="page on-a-call"
      data-testid="call"
      data-phase={phase}
      data-heard-ms={Math.round(heardSamples / 24)}
    >
      <div className="call-bar">
        <h1 ref={heading} tabIndex={-1} className="call-with">
          {agent.name}
        </h1>
        <p className="call-mood" data-mood={phase === 'over' ? 'over' : how}>
          <Status phase={phase} how={how} name={agent.name} />
        </p>
        {phase !== 'over' && <Level call={call} who="agent" label={`How loud ${agent.name} is`} />}
        <span className="call-length">
          <span className="hidden-but-said">Length of the call: </span>
          <CallClock call={call} />
        </span>
        {phase !== 'over' && (
          <div className="call-buttons">
            <button
              type="button"
              className="button"
              disabled={how !== 'agent' && conversation.response === null}
              onClick={() => void call.interrupt()}
            >
              Interrupt
            </button>
            <button type="button" className="button hang-up" onClick={() => call.hangUp()}>
              Hang up
            </button>
          </div>
        )}
      </div>
      <TurnClock turn={turn} name={agent.name} />
      <Transcript call={call} />
      <div className="call-foot">{phase === 'over' ? <Summary call={call} /> : <Composer call={call} />}</div>
      <StoredTurn call={call} />
    </div>
  )
}

function Status({ phase, how, name }: { phase: string; how: Mood; name: string }) {
  if (phase === 'over') return <>The call is over</>
  if (phase === 'finishing') return <>{name} says goodbye</>
  switch (how) {
    case 'connecting':
      return <>Calling…</>
    case 'agent':
      return <>{name} is speaking</>
    case 'caller':
      return <>You are speaking</>
    case 'thinking':
      return <>{name} is about to speak</>
    case 'listening':
      return <>{name} is listening</>
  }
}

function Summary({ call }: { call: Call }) {
  const { end, startedAt, endedAt, callId, agent, conversation } = useStore(call.state)
  const section = useRef<HTMLElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // Some browsers answer with a promise, which is no clean-up.
    section.current?.scrollIntoView({ block: 'nearest' })
    // What had the focus may have gone with the call.
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true })
  }, [])
  if (end === null) return null
  const heard = conversation.turns.filter((turn) => turn.heard !== null)
  const inTime = heard.filter((turn) => turn.heard !== null && turn.heard - turn.zero <= 2_000).length
  return (
    <section
      ref={section}
      className="summary"
      aria-labelledby="summary-title"
      data-kind={end.kind}
      data-testid="summary"
    >
      <div role="alert">
        <h2 ref={heading} id="summary-title" tabIndex={-1}>
          {end.title}
        </h2>
        {end.detail !== '' && <p>{end.detail}</p>}
      </div>
      <p className="quiet">
        {startedAt !== null && endedAt !== null && <>The call lasted {length(endedAt - startedAt)}. </>}
        {heard.length > 0 && (
          <>
            {inTime} of {heard.length} {heard.length === 1 ? 'answer was' : 'answers were'} heard within two
            seconds.
          </>
        )}
      </p>
      <div className="summary-buttons">
        {callId !== null && startedAt !== null && (
          <Link href={`/calls/${callId}`} className="button primary">
            Look at the stored call
          </Link>
        )}
        {end.again && (
          <button type="button" className="button" onClick={() => place(agent)}>
            Call {agent.name} again
          </button>
        )}
        <button type="button" className="button" onClick={() => currentCall.set(null)}>
          Call another agent
        </button>
      </div>
    </section>
  )
}
