import { useEffect, useState } from 'react'
import { milliseconds, seconds } from '../format'
import type { Turn } from '../realtime/conversation'
import { axis, PROMISE_MS } from '../realtime/waterfall'

/** The current turn against the two seconds, as this page measures it. */
export function TurnClock({ turn, name }: { turn: Turn | null; name: string }) {
  const runs = turn !== null && turn.heard === null && !turn.idle
  const now = useNow(runs)
  const about = turn?.by === 'microphone' ? 'about ' : ''
  const elapsed = turn === null || turn.idle ? null : Math.max(0, (turn.heard ?? now) - turn.zero)
  const end = axis([elapsed])
  const late = elapsed !== null && elapsed > PROMISE_MS
  const share = (ms: number): string => `${((Math.min(ms, end) / end) * 100).toFixed(2)}%`
  return (
    <section
      className="turn-clock"
      aria-labelledby="turn-clock-title"
      data-testid="turn-clock"
      data-state={stateOf(turn)}
    >
      <h2 id="turn-clock-title" className="label">
        This turn, measured here
      </h2>
      <p className="figure" data-late={late}>
        {elapsed === null ? (
          <span className="figure-none">–</span>
        ) : (
          <>
            {about}
            <strong>{seconds(elapsed)}</strong>
          </>
        )}
      </p>
      <div className="track" aria-hidden="true">
        <span
          className="track-bar"
          data-late={late}
          data-runs={runs}
          style={{ width: elapsed === null ? 0 : share(elapsed) }}
        />
        <span className="track-line" style={{ left: share(PROMISE_MS) }} />
        <span className="track-zero">0</span>
        <span className="track-two" style={{ left: share(PROMISE_MS) }}>
          2 s
        </span>
      </div>
      <p className="quiet" role="status">
        {sentence(turn, name, late)}
      </p>
      {turn !== null && !turn.idle && <Marks turn={turn} />}
    </section>
  )
}

function stateOf(turn: Turn | null): string {
  if (turn === null) return 'none'
  if (turn.heard !== null) return 'heard'
  return turn.idle ? 'idle' : 'runs'
}

function sentence(turn: Turn | null, name: string, late: boolean): string {
  if (turn === null) return 'The clock starts where you stop speaking.'
  if (turn.heard !== null) {
    return late ? `Heard ${name} later than two seconds.` : `Heard ${name} within the two seconds.`
  }
  if (turn.idle) return 'Nothing had to be answered. The clock starts again where you stop speaking.'
  return `Waiting for ${name}…`
}

function Marks({ turn }: { turn: Turn }) {
  const rows: [string, number | null][] = [
    ['your words understood', turn.understood],
    ['the answer begins', turn.begun],
    ['first sound received', turn.received],
    ['first sound heard', turn.heard],
  ]
  const from = turn.by === 'microphone' ? 'about where your voice ended' : 'the last sample of your voice'
  return (
    <dl className="marks">
      <div>
        <dt>end of your speech</dt>
        <dd title={`0 is ${from}`}>0 ms</dd>
      </div>
      {rows.map(([label, at]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{at === null ? '–' : milliseconds(Math.max(0, at - turn.zero))}</dd>
        </div>
      ))}
    </dl>
  )
}

/** The time, as often as the screen is drawn, or four times a second for those who want less motion. */
function useNow(runs: boolean): number {
  const [now, setNow] = useState(() => performance.now())
  useEffect(() => {
    if (!runs) return
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      const timer = setInterval(() => setNow(performance.now()), 250)
      return () => clearInterval(timer)
    }
    let frame = 0
    const draw = (): void => {
      setNow(performance.now())
      frame = requestAnimationFrame(draw)
    }
    frame = requestAnimationFrame(draw)
    return () => cancelAnimationFrame(frame)
  }, [runs])
  return now
}
