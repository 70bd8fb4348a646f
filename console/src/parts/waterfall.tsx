import type { TurnView } from '../api/types'
import { milliseconds, number } from '../format'
import { axis, PROMISE_MS, type Row, verdict, waterfall } from '../realtime/waterfall'

/** Where each millisecond of a stored turn went. `heardMs` is what this page measured of it, if it did. */
export function Waterfall({ turn, heardMs = null }: { turn: TurnView; heardMs?: number | null }) {
  const rows = waterfall(turn)
  if (rows.length === 0) return <p className="quiet">Nobody had spoken: the agent began.</p>
  if (heardMs !== null) {
    rows.push({
      label: 'caller hears a word',
      kind: 'heard',
      start: 0,
      at: Math.round(heardMs),
      added: Math.round(heardMs),
    })
  }
  const end = axis(rows.map((row) => row.at))
  const { kept, words } = verdict(heardMs ?? turn.first_audible_ms)
  return (
    <div className="waterfall" data-testid="waterfall">
      {/* A table to whoever listens, a grid to whoever looks: tables do not shrink to a telephone. */}
      <div role="table" aria-label="Where the time went, from the end of the caller’s speech">
        <div role="row" className="hidden-but-said">
          <span role="columnheader">Stage</span>
          <span role="columnheader">Reached after</span>
          <span role="columnheader">Adds</span>
        </div>
        {rows.map((row) => (
          <Line key={row.label} row={row} end={end} />
        ))}
      </div>
      <p className="verdict" data-kept={kept ?? 'none'}>
        {words}
      </p>
    </div>
  )
}

function Line({ row, end }: { row: Row; end: number }) {
  const share = (ms: number): number => (Math.max(0, Math.min(ms, end)) / end) * 100
  const left = share(row.start)
  return (
    <div role="row" className="waterfall-row">
      <span role="rowheader" className="waterfall-label">
        {row.label}
      </span>
      <span className="waterfall-picture" aria-hidden="true">
        <span className="waterfall-line" style={{ left: `${share(PROMISE_MS)}%` }} />
        <span
          className="waterfall-bar"
          data-kind={row.kind}
          style={{ left: `${left}%`, width: `${share(row.at) - left}%` }}
        />
      </span>
      <span role="cell" className="waterfall-at">
        {milliseconds(row.at)}
      </span>
      <span role="cell" className="waterfall-added">
        +{number(row.added)}
      </span>
    </div>
  )
}
