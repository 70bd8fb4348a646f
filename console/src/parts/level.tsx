import { useEffect, useRef } from 'react'
import type { Call } from '../realtime/call'

/** How loud somebody is, as a bar. Drawn past React: it changes ten times a second. */
export function Level({ call, who, label }: { call: Call; who: 'caller' | 'agent'; label: string }) {
  const bar = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    const draw = (): void => {
      const level = call.levels.get()[who]
      // From -60 dB to full scale.
      const share = level <= 0 ? 0 : Math.max(0, Math.min(1, 1 + Math.log10(level) / 3))
      if (bar.current !== null) bar.current.style.transform = `scaleX(${share.toFixed(3)})`
    }
    draw()
    return call.levels.subscribe(draw)
  }, [call, who])
  return (
    <span className="level" role="img" aria-label={label}>
      <span ref={bar} className="level-bar" />
    </span>
  )
}
