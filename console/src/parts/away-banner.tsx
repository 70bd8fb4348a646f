import { connection } from '../api/connection'
import { useStore } from '../api/store'

export function AwayBanner() {
  const { away } = useStore(connection)
  return (
    <div className="away" role="status">
      {away && <p>The server is away; trying again…</p>}
    </div>
  )
}
