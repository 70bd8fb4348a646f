import { Store } from './api/store'
import type { Call } from './realtime/call'

/** The call that is on, or was last; it goes on while other pages are looked at. */
export const currentCall = new Store<Call | null>(null)
