import { type SubmitEvent, useEffect, useMemo, useState } from 'react'
import { AwayError, get, type Query } from '../api/client'
import { connection } from '../api/connection'
import { onCallEvent, useLiveCalls } from '../api/live'
import { problemOf } from '../api/resource'
import { useStore } from '../api/store'
import type { CallView, Identity, Page, Problem } from '../api/types'
import { clock, count, END_REASONS, length, moment, nextDay, phone, startOfDay, zoneName } from '../format'
import { Empty, Loading, ProblemNote } from '../parts/states'
import { useAgents } from '../parts/use-agents'
import { Link, navigate, usePlace } from '../router'
import { useTitle } from '../title'

const PAGE = 50

interface Filter {
  agent: string
  status: '' | 'live' | 'ended'
  from: string
  since: string
  until: string
}

function filterOf(query: URLSearchParams): Filter {
  const status = query.get('status')
  const of = (name: string): string => query.get(name) ?? ''
  return {
    agent: of('agent'),
    status: status === 'live' || status === 'ended' ? status : '',
    from: of('from'),
    since: of('since'),
    until: of('until'),
  }
}

function queryOf(filter: Filter, timeZone: string): Query {
  return {
    agent: filter.agent,
    status: filter.status,
    from: filter.from,
    since: filter.since === '' ? null : startOfDay(filter.since, timeZone),
    // The whole of the last day.
    until: filter.until === '' ? null : startOfDay(nextDay(filter.until), timeZone),
    limit: PAGE,
  }
}

function passes(call: CallView, query: Query): boolean {
  const at = Date.parse(call.started_at)
  const isLive = (call.ended ?? null) === null
  if (query['agent'] && call.agent_id !== query['agent']) return false
  if (query['status'] && (query['status'] === 'live') !== isLive) return false
  if (query['from'] && call.from !== query['from']) return false
  if (query['since'] && at < Date.parse(String(query['since']))) return false
  if (query['until'] && at >= Date.parse(String(query['until']))) return false
  return true
}

export function CallsPage({ identity }: { identity: Identity }) {
  const heading = useTitle('Calls')
  const { query: asked } = usePlace()
  const { agents, nameOf } = useAgents()
  const timeZone = identity.tenant.time_zone
  const filter = useMemo(() => filterOf(asked), [asked])
  const query = useMemo(() => queryOf(filter, timeZone), [filter, timeZone])
  const list = useCalls(query)
  const live = useLiveCalls()
  const isLive = (call: CallView): boolean => (call.ended ?? null) === null
  const liveNow = [...(live?.values() ?? [])].filter((call) => passes(call, query)).sort(byAge)
  const known = new Set(liveNow.map((call) => call.id))
  // Until the event stream has spoken, the list says who is live.
  const rest = list.calls.filter((call) => !known.has(call.id) && (live === null || !isLive(call)))
  const filtered = Object.values(filter).some((value) => value !== '')
  const nothing = liveNow.length === 0 && rest.length === 0
  return (
    <div className="page calls">
      <h1 ref={heading} tabIndex={-1}>
        Calls
      </h1>
      <p className="lead">
        Newest first. Times are {zoneName(timeZone)} ({timeZone}).
      </p>
      <Filters key={asked.toString()} filter={filter} agents={agents} />
      {list.problem !== null && <ProblemNote problem={list.problem} retry={list.reload} />}
      {liveNow.length > 0 && (
        <section aria-labelledby="live-now" className="live-now">
          <h2 id="live-now" className="label">
            Live now
          </h2>
          <ol className="call-list" data-testid="live-calls">
            {liveNow.map((call) => (
              <CallRow key={call.id} call={call} agent={nameOf(call.agent_id)} timeZone={timeZone} />
            ))}
          </ol>
        </section>
      )}
      {list.loading && list.calls.length === 0 && list.problem === null ? (
        <Loading what="the calls" />
      ) : (
        <section aria-labelledby="stored-calls">
          <h2 id="stored-calls" className={liveNow.length > 0 ? 'label' : 'hidden-but-said'}>
            Ended
          </h2>
          {nothing && list.problem === null && (
            <Empty
              title={filtered ? 'No call is like that' : `Nobody has called ${identity.tenant.name} yet`}
            >
              <p>
                {filtered ? (
                  <Link href="/calls">Show all calls</Link>
                ) : (
                  <Link href="/">Place the first call</Link>
                )}
              </p>
            </Empty>
          )}
          {rest.length > 0 && (
            <ol className="call-list" data-testid="ended-calls">
              {rest.map((call) => (
                <CallRow key={call.id} call={call} agent={nameOf(call.agent_id)} timeZone={timeZone} />
              ))}
            </ol>
          )}
        </section>
      )}
      {list.more !== null && (
        <button type="button" className="button" disabled={list.loading} onClick={list.more}>
          {list.loading ? 'Loading…' : 'Load more'}
        </button>
      )}
    </div>
  )
}

function byAge(one: CallView, other: CallView): number {
  return Date.parse(other.started_at) - Date.parse(one.started_at)
}

function CallRow({ call, agent, timeZone }: { call: CallView; agent: string; timeZone: string }) {
  const ended = call.ended ?? null
  const from = call.from ?? null
  return (
    <li className="call-row" data-live={ended === null}>
      <Link href={`/calls/${call.id}`} className="call-row-link">
        <time dateTime={call.started_at} className="call-row-when">
          {moment(call.started_at, timeZone)}
        </time>
        <span className="call-row-agent">{agent}</span>
        <span className="call-row-from">
          {from !== null ? phone(from) : (call.to ?? null) === null ? 'over the API' : 'number withheld'}
        </span>
        {ended === null ? (
          <>
            <span className="call-row-length">
              <Running since={call.started_at} />
            </span>
            <span className="call-row-end live">live</span>
          </>
        ) : (
          <>
            <span className="call-row-length">
              {length(Date.parse(ended.at) - Date.parse(call.started_at))}
            </span>
            <span className="call-row-end">
              {END_REASONS[ended.reason]}
              <span className="quiet">, {count(Math.max(0, ended.turns - 1), 'turn')}</span>
            </span>
          </>
        )}
      </Link>
    </li>
  )
}

function Running({ since }: { since: string }) {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return <>{clock(now - Date.parse(since))}</>
}

function Filters({ filter, agents }: { filter: Filter; agents: readonly { id: string; name: string }[] }) {
  const apply = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const query = new URLSearchParams()
    for (const [name, value] of new FormData(event.currentTarget)) {
      const text = typeof value === 'string' ? value.trim() : ''
      if (text !== '') query.set(name, name === 'from' ? e164(text) : text)
    }
    const text = query.toString()
    navigate(text === '' ? '/calls' : `/calls?${text}`)
  }
  const filtered = Object.values(filter).some((value) => value !== '')
  return (
    <form className="filters" onSubmit={apply} aria-label="Which calls">
      <label>
        Agent
        <select name="agent" defaultValue={filter.agent} key={agents.length}>
          <option value="">all</option>
          {agents.map((agent) => (
            <option key={agent.id} value={agent.id}>
              {agent.name}
            </option>
          ))}
        </select>
      </label>
      <label>
        State
        <select name="status" defaultValue={filter.status}>
          <option value="">all</option>
          <option value="live">live</option>
          <option value="ended">ended</option>
        </select>
      </label>
      <label>
        From number
        <input
          name="from"
          type="tel"
          defaultValue={filter.from}
          placeholder="+13055550100"
          autoComplete="off"
        />
      </label>
      <label>
        Since
        <input name="since" type="date" defaultValue={filter.since} />
      </label>
      <label>
        Until
        <input name="until" type="date" defaultValue={filter.until} />
      </label>
      <div className="filter-buttons">
        <button type="submit" className="button">
          Show
        </button>
        {filtered && <Link href="/calls">Show all</Link>}
      </div>
    </form>
  )
}

function e164(text: string): string {
  const digits = text.replace(/[\s().-]/g, '')
  return digits.startsWith('+') ? digits : `+${digits}`
}

interface CallList {
  calls: readonly CallView[]
  loading: boolean
  problem: Problem | null
  more: (() => void) | null
  reload: () => void
}

interface Pages {
  query: Query
  /** The page that came last. */
  page: string
  calls: readonly CallView[]
  cursor: string | null
  problem: Problem | null
}

/** Another page behind those before; a call that moved meanwhile is there once. */
function joined(before: readonly CallView[], page: readonly CallView[]): CallView[] {
  const ids = new Set(page.map((call) => call.id))
  return [...before.filter((call) => !ids.has(call.id)), ...page]
}

/** Pages of calls, and what happens to them meanwhile. */
function useCalls(query: Query): CallList {
  const { epoch } = useStore(connection)
  const [pages, setPages] = useState<Pages | null>(null)
  const [asked, ask] = useState<{ query: Query; epoch: number; cursor: string | null; time: number }>({
    query,
    epoch,
    cursor: null,
    time: 0,
  })
  // Another question begins at its first page, and so does a server that came back.
  const goesOn = asked.query === query && asked.epoch === epoch
  const cursor = goesOn ? asked.cursor : null
  const page = `${cursor ?? ''} ${goesOn ? asked.time : 0} ${epoch}`
  useEffect(() => {
    const stop = new AbortController()
    get<Page<CallView>>('/v1/calls', { query: { ...query, cursor }, signal: stop.signal }).then(
      (got) => {
        if (stop.signal.aborted) return
        setPages((was) => ({
          query,
          page,
          calls: cursor === null || was?.query !== query ? got.items : joined(was.calls, got.items),
          cursor: got.next_cursor ?? null,
          problem: null,
        }))
      },
      (error: unknown) => {
        if (stop.signal.aborted || error instanceof AwayError) return
        const problem = problemOf(error)
        setPages((was) =>
          was?.query === query
            ? { ...was, page, problem }
            : { query, page, calls: [], cursor: null, problem },
        )
      },
    )
    return () => stop.abort()
  }, [query, cursor, page])
  useEffect(
    () =>
      onCallEvent(({ kind, call }) => {
        if (kind !== 'call.ended' || !passes(call, query)) return
        setPages((was) => {
          if (was === null) return was
          const known = was.calls.some((one) => one.id === call.id)
          const calls = known
            ? was.calls.map((one) => (one.id === call.id ? call : one))
            : [call, ...was.calls].sort(byAge)
          return { ...was, calls }
        })
      }),
    [query],
  )
  const mine = pages?.query === query ? pages : null
  const next = mine?.cursor ?? null
  return {
    calls: mine?.calls ?? [],
    loading: mine?.page !== page,
    problem: mine?.problem ?? null,
    more: next === null ? null : () => ask({ query, epoch, cursor: next, time: Date.now() }),
    reload: () => ask({ query, epoch, cursor: null, time: Date.now() }),
  }
}
