import { useEffect, useState } from 'react'
import { get } from '../api/client'
import { onCallEvent } from '../api/live'
import { useStore } from '../api/store'
import type { CallDetail, TurnView } from '../api/types'
import type { Call } from '../realtime/call'
import type { Conversation } from '../realtime/conversation'
import { Waterfall } from './waterfall'

const LOOK_EVERY_MS = 2_000

/** The server's own stages of the last turn that is stored. */
export function StoredTurn({ call }: { call: Call }) {
  const { callId, phase, conversation } = useStore(call.state)
  const turns = useTurns(callId, phase === 'over')
  const last = turns.findLast(
    (turn) => turn.number > 0 && turn.caller_text !== '' && turn.outcome !== 'continued',
  )
  if (last === undefined) {
    return (
      <section className="stored-turn" aria-labelledby="stored-turn-title">
        <h2 id="stored-turn-title" className="label">
          Where the time went, by the server
        </h2>
        <p className="quiet">
          {conversation.turns.length === 0
            ? 'Each turn is stored when it is over; its stages come here.'
            : 'The turn is stored when it is over; its stages come here then.'}
        </p>
      </section>
    )
  }
  const measured = conversation.turns.findLast(
    (turn) => turn.heard !== null && turn.item !== null && isOf(conversation, turn.item, last),
  )
  return (
    <section className="stored-turn" aria-labelledby="stored-turn-title">
      <h2 id="stored-turn-title" className="label">
        Where the time went, by the server
      </h2>
      <p className="stored-turn-words">
        Turn {last.number}: “{last.caller_text}”
      </p>
      <Waterfall
        turn={last}
        heardMs={measured === undefined || measured.heard === null ? null : measured.heard - measured.zero}
      />
    </section>
  )
}

/** Whether that item of the conversation answers that stored turn: the caller's words before it are the turn's. */
function isOf(conversation: Conversation, itemId: string, turn: TurnView): boolean {
  const at = conversation.items.findIndex((item) => item.id === itemId)
  const caller = conversation.items.slice(0, at).findLast((item) => item.kind === 'caller')
  return caller?.kind === 'caller' && caller.text === turn.caller_text
}

function useTurns(callId: string | null, over: boolean): readonly TurnView[] {
  const [turns, setTurns] = useState<readonly TurnView[]>([])
  useEffect(() => {
    if (callId === null) return
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let looks = 0
    const look = async (): Promise<void> => {
      clearTimeout(timer)
      looks += 1
      try {
        const detail = await get<CallDetail>(`/v1/calls/${callId}`, { signal: stop.signal })
        if (stop.signal.aborted) return
        setTurns((was) => (was.length === detail.turns.length ? was : detail.turns))
        if (over && (detail.ended ?? null) !== null) return
      } catch {
        // The call is not on record yet, or the server is away: the next look tells.
      }
      if (!stop.signal.aborted && !(over && looks > 10)) timer = setTimeout(() => void look(), LOOK_EVERY_MS)
    }
    void look()
    const forget = onCallEvent((event) => {
      if (event.call.id === callId) void look()
    })
    return () => {
      stop.abort()
      clearTimeout(timer)
      forget()
    }
  }, [callId, over])
  return turns
}
