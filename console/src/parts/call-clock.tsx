import { useEffect, useState } from 'react'
import { useStore } from '../api/store'
import { clock } from '../format'
import type { Call } from '../realtime/call'

/** How long a call lasts. */
export function CallClock({ call }: { call: Call }) {
  const { startedAt, endedAt } = useStore(call.state)
  const [now, setNow] = useState(() => performance.now())
  const runs = startedAt !== null && endedAt === null
  useEffect(() => {
    if (!runs) return
    const timer = setInterval(() => setNow(performance.now()), 500)
    return () => clearInterval(timer)
  }, [runs])
  return <span className="clock">{clock(startedAt === null ? 0 : (endedAt ?? now) - startedAt)}</span>
}
