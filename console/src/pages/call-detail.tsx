import { useEffect } from 'react'
import { get } from '../api/client'
import { onCallEvent } from '../api/live'
import { useResource } from '../api/resource'
import type {
  CallDetail,
  Identity,
  LeadView,
  ListingView,
  Page,
  ToolRunView,
  TransferView,
  TurnView,
  ViewingView,
} from '../api/types'
import {
  count,
  dollars,
  END_REASONS,
  length,
  milliseconds,
  moment,
  number,
  OUTCOMES,
  phone,
  seconds,
  words,
} from '../format'
import { Empty, Loading, ProblemNote } from '../parts/states'
import { useAgents } from '../parts/use-agents'
import { Waterfall } from '../parts/waterfall'
import { unheardOf } from '../realtime/unheard'
import { axis, PROMISE_MS } from '../realtime/waterfall'
import { Link } from '../router'
import { useTitle } from '../title'

export function CallDetailPage({ id, identity }: { id: string; identity: Identity }) {
  const { data, problem, reload } = useResource(`call ${id}`, (signal) =>
    get<CallDetail>(`/v1/calls/${encodeURIComponent(id)}`, { signal }),
  )
  useEffect(
    () =>
      onCallEvent((event) => {
        if (event.call.id === id) reload()
      }),
    [id, reload],
  )
  if (data !== null) return <Detail call={data} identity={identity} />
  if (problem === null) return <Loading what="the call" />
  if (problem.status === 404) return <NoSuchCall />
  return (
    <div className="page">
      <ProblemNote problem={problem} retry={reload} />
    </div>
  )
}

function NoSuchCall() {
  const heading = useTitle('No such call')
  return (
    <div className="page narrow">
      <h1 ref={heading} tabIndex={-1}>
        There is no such call
      </h1>
      <p>
        Look at <Link href="/calls">all calls</Link> of the brokerage.
      </p>
    </div>
  )
}

function Detail({ call, identity }: { call: CallDetail; identity: Identity }) {
  const { nameOf } = useAgents()
  const agent = nameOf(call.agent_id)
  const heading = useTitle(`Call with ${agent}`)
  const timeZone = identity.tenant.time_zone
  const ended = call.ended ?? null
  const from = call.from ?? null
  const to = call.to ?? null
  const duration = call.duration_ms ?? null
  const end = axis(call.turns.flatMap((turn) => [turn.first_audible_ms, turn.first_substantive_ms]))
  return (
    <div className="page detail">
      <p className="up">
        <Link href="/calls">Calls</Link>
      </p>
      <h1 ref={heading} tabIndex={-1}>
        Call with {agent}
      </h1>
      <p className="lead">
        <time dateTime={call.started_at}>{moment(call.started_at, timeZone)}</time>,{' '}
        {ended === null ? <strong className="live">live</strong> : END_REASONS[ended.reason]}.
      </p>
      <dl className="facts">
        <Fact name="Length">{duration === null ? 'it goes on' : length(duration)}</Fact>
        <Fact name="Turns">{number(Math.max(0, call.turns.filter((turn) => turn.number > 0).length))}</Fact>
        <Fact name="From">{from === null ? (to === null ? 'the API' : 'withheld') : phone(from)}</Fact>
        <Fact name="To">{to === null ? 'no number' : phone(to)}</Fact>
        <Fact name="Recognised">{seconds(call.usage.recognised_ms, 1)} of audio</Fact>
        <Fact name="Played">{seconds(call.usage.playout_ms, 1)} of audio</Fact>
        <Fact name="Model">
          {count(call.usage.input_tokens, 'token')} read, {number(call.usage.output_tokens)} written
        </Fact>
        <Fact name="Voice">{count(call.usage.synthesised_characters, 'character')}</Fact>
        {call.resumed > 0 && <Fact name="Cut and resumed">{count(call.resumed, 'time')}</Fact>}
      </dl>
      <section aria-labelledby="turns">
        <div className="turns-head">
          <h2 id="turns">What was said</h2>
          <p className="turns-legend" aria-hidden="true">
            <span className="key word" /> first word <span className="key answer" /> answer
            <span className="key two" /> two seconds
          </p>
        </div>
        {call.turns.length === 0 ? (
          <Empty title="No turn is stored yet" />
        ) : (
          <ol className="turns">
            {call.turns.map((turn) => (
              <TurnItem key={turn.number} turn={turn} agent={agent} end={end} />
            ))}
          </ol>
        )}
      </section>
      <Results call={call} timeZone={timeZone} />
      <p className="quiet call-id">
        <code>{call.id}</code>
      </p>
    </div>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function TurnItem({ turn, agent, end }: { turn: TurnView; agent: string; end: number }) {
  const unheard = turn.outcome === 'answered' ? '' : unheardOf(turn)
  const word = turn.first_audible_ms ?? null
  const answer = turn.first_substantive_ms ?? null
  const greeted = turn.caller_text === ''
  return (
    <li className="turn" data-testid="turn" data-outcome={turn.outcome}>
      <div className="turn-words">
        {!greeted && (
          <div className="turn-line" data-who="caller">
            <span className="speaker">Caller</span>
            <p className="said">{turn.caller_text}</p>
          </div>
        )}
        <div className="turn-line" data-who="agent">
          <span className="speaker">{agent}</span>
          <p className="said">
            {turn.heard_text}
            {unheard !== '' && (
              <>
                {' '}
                <del className="unheard">{unheard}</del>
              </>
            )}
            {turn.heard_text === '' && unheard === '' && <span className="quiet">(nothing was heard)</span>}
            <span className="note">{` (${OUTCOMES[turn.outcome]})`}</span>
          </p>
        </div>
        {turn.tools.length > 0 && (
          <ul className="tools">
            {turn.tools.map((run) => (
              <li key={run.number}>
                <Tool run={run} />
              </li>
            ))}
          </ul>
        )}
        {!greeted && (
          <details className="more">
            <summary>Where the time went</summary>
            <Waterfall turn={turn} />
          </details>
        )}
      </div>
      {!greeted && (
        <div className="turn-wait">
          <div className="turn-track" aria-hidden="true">
            <span className="turn-two" style={{ left: `${(PROMISE_MS / end) * 100}%` }} />
            {answer !== null && (
              <span className="turn-bar answer" style={{ width: `${(answer / end) * 100}%` }} />
            )}
            {word !== null && (
              <span
                className="turn-bar word"
                data-late={word > PROMISE_MS}
                style={{ width: `${(word / end) * 100}%` }}
              />
            )}
          </div>
          <p className="turn-figures">
            {word === null ? (
              <span>no audio</span>
            ) : (
              <>
                <span data-late={word > PROMISE_MS}>
                  first word {milliseconds(word)}
                  {word > PROMISE_MS && ', later than two seconds'}
                </span>
                {answer !== null && answer !== word && <span>answer {milliseconds(answer)}</span>}
              </>
            )}
          </p>
        </div>
      )}
    </li>
  )
}

function Tool({ run }: { run: ToolRunView }) {
  const finished = run.finished_at_us ?? null
  const outcome = run.outcome ?? null
  const status = outcome === null ? 'not finished' : outcome.status
  return (
    <details className="more tool">
      <summary>
        <code>{run.name}</code>{' '}
        <span data-status={status} className="tool-status">
          {status}
        </span>
        {finished !== null && (
          <span className="quiet"> in {milliseconds((finished - run.asked_at_us) / 1_000)}</span>
        )}
      </summary>
      <h3 className="label">Arguments</h3>
      <Json value={parsed(run.arguments)} />
      {outcome !== null && (
        <>
          <h3 className="label">Outcome</h3>
          <Json value={outcome.content} />
        </>
      )}
    </details>
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function Json({ value }: { value: unknown }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keyboard
    <pre className="json" tabIndex={0}>
      {typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
    </pre>
  )
}

function Results({ call, timeZone }: { call: CallDetail; timeZone: string }) {
  const { leads, viewings, transfers = [], voice_messages = [], callbacks = [], mails = [] } = call
  const others: [number, string][] = [
    [voice_messages.length, 'message'],
    [callbacks.length, 'promised call-back'],
    [mails.length, 'mail'],
  ]
  const counted = others.filter(([value]) => value > 0)
  if (leads.length + viewings.length + transfers.length + counted.length === 0) return null
  return (
    <section aria-labelledby="results" className="results">
      <h2 id="results">What it left behind</h2>
      <div className="results-grid">
        {viewings.length > 0 && <Viewings call={call} timeZone={timeZone} />}
        {leads.length > 0 && <Leads call={call} />}
        {transfers.map((transfer) => (
          <Transfer key={transfer.id} transfer={transfer} timeZone={timeZone} />
        ))}
        {counted.length > 0 && (
          <article className="result">
            <h3>Besides</h3>
            <p>{counted.map(([value, noun]) => count(value, noun)).join(', ')}</p>
          </article>
        )}
      </div>
    </section>
  )
}

function Viewings({ call, timeZone }: { call: CallDetail; timeZone: string }) {
  const key = call.viewings.join()
  const { data, problem, reload } = useResource(`viewings ${call.id} ${key}`, (signal) =>
    get<Page<ViewingView>>('/v1/viewings', { query: { call: call.id }, signal }),
  )
  if (problem !== null) return <ProblemNote problem={problem} retry={reload} />
  return data?.items.map((viewing) => <Viewing key={viewing.id} viewing={viewing} timeZone={timeZone} />)
}

function Viewing({ viewing, timeZone }: { viewing: ViewingView; timeZone: string }) {
  const { data } = useResource(`listing ${viewing.listing_id}`, (signal) =>
    get<ListingView>(`/v1/listings/${viewing.listing_id}`, { signal }),
  )
  const visitorPhone = viewing.visitor_phone ?? null
  const reason = viewing.cancel_reason ?? null
  return (
    <article className="result">
      <h3>Viewing, {words(viewing.status)}</h3>
      <p className="result-main">{data === null ? 'A home' : `${data.address}, ${data.area}`}</p>
      <p>
        <time dateTime={viewing.starts_at}>{moment(viewing.starts_at, timeZone)}</time>,{' '}
        {length(Date.parse(viewing.ends_at) - Date.parse(viewing.starts_at))}
      </p>
      <p>
        {viewing.visitor_name}
        {visitorPhone !== null && `, ${phone(visitorPhone)}`}
      </p>
      {(viewing.rescheduled_from ?? null) !== null && <p className="quiet">Moved from another time</p>}
      {reason !== null && <p className="quiet">{reason}</p>}
    </article>
  )
}

function Leads({ call }: { call: CallDetail }) {
  const key = call.leads.join()
  const { data, problem, reload } = useResource(`leads ${call.id} ${key}`, (signal) =>
    get<Page<LeadView>>('/v1/leads', { query: { call: call.id }, signal }),
  )
  if (problem !== null) return <ProblemNote problem={problem} retry={reload} />
  return data?.items.map((lead) => <Lead key={lead.id} lead={lead} />)
}

function Lead({ lead }: { lead: LeadView }) {
  const budget = lead.budget_micro_dollars ?? null
  const bedrooms = lead.bedrooms ?? null
  const wishes = [
    (lead.intent ?? null) === null ? null : `wants to ${words(String(lead.intent))}`,
    bedrooms === null ? null : `${count(bedrooms, 'bedroom')} or more`,
    budget === null ? null : `up to ${dollars(budget)}`,
    lead.areas.length === 0 ? null : `in ${lead.areas.join(', ')}`,
    (lead.timeline ?? null) === null ? null : words(String(lead.timeline)),
    (lead.financing ?? null) === null ? null : words(String(lead.financing)),
  ].filter((wish) => wish !== null)
  const reach = [lead.phone ?? null, lead.email ?? null].filter((way) => way !== null)
  return (
    <article className="result">
      <h3>Lead, score {lead.score} of 100</h3>
      <p className="result-main">{lead.name ?? 'Somebody without a name'}</p>
      {reach.length > 0 && <p>{reach.map((way) => phone(way)).join(', ')}</p>}
      {wishes.length > 0 && <p>{wishes.join(', ')}</p>}
      {(lead.notes ?? null) !== null && <p>{lead.notes}</p>}
      {lead.score_reasons.length > 0 && (
        <ul className="quiet reasons">
          {lead.score_reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </article>
  )
}

function Transfer({ transfer, timeZone }: { transfer: TransferView; timeZone: string }) {
  return (
    <article className="result">
      <h3>Put through, {words(transfer.state)}</h3>
      <p className="result-main">
        {transfer.to_name}, {phone(transfer.to_number)}
      </p>
      <p>{transfer.summary}</p>
      <p className="quiet">
        <time dateTime={transfer.arranged_at}>{moment(transfer.arranged_at, timeZone)}</time>
      </p>
    </article>
  )
}
