import { useEffect, useRef, useState } from 'react'
import { problemOf } from '../api/resource'
import { session, signIn, signOut } from '../api/session'
import { useStore } from '../api/store'
import type { Problem } from '../api/types'
import { currentCall } from '../current-call'
import type { Call } from '../realtime/call'
import { Link, navigate, usePlace } from '../router'
import { setTheme, theme, type Theme } from '../settings'
import { CallClock } from './call-clock'
import { Mark } from './mark'
import { ProblemNote } from './states'

export function Header() {
  const { status, identity } = useStore(session)
  const { path } = usePlace()
  const call = useStore(currentCall)
  const signedIn = status === 'in' && identity !== null
  const here = (is: boolean) => (is ? ({ 'aria-current': 'page' } as const) : {})
  return (
    <header className="header" data-signed-in={signedIn}>
      <div className="header-in">
        <Link href="/" className="brand">
          <Mark />
          <span>Seiketsu</span>
        </Link>
        <nav aria-label="Pages" className="nav">
          {signedIn && (
            <>
              <Link href="/" {...here(path === '/')}>
                Call{call !== null && <OnCall call={call} />}
              </Link>
              <Link href="/calls" {...here(path.startsWith('/calls'))}>
                Calls
              </Link>
            </>
          )}
          <Link href="/docs" {...here(path === '/docs')}>
            API
          </Link>
        </nav>
        <Menu />
      </div>
    </header>
  )
}

function OnCall({ call }: { call: Call }) {
  const { phase } = useStore(call.state)
  if (phase === 'over') return null
  return (
    <span className="on-call">
      <span className="hidden-but-said">, under way for </span>
      <CallClock call={call} />
    </span>
  )
}

const THEMES: readonly [Theme, string][] = [
  ['auto', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

function Menu() {
  const { status, identity, demo } = useStore(session)
  const chosen = useStore(theme)
  const popover = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const { path } = usePlace()
  useEffect(() => {
    if (popover.current?.matches(':popover-open') === true) popover.current.hidePopover()
  }, [path, identity?.tenant.id])
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    try {
      setProblem(null)
      await what()
      popover.current?.hidePopover()
    } catch (error) {
      setProblem(problemOf(error))
    }
  }
  const switchTo = (tenant: string) =>
    attempt(async () => {
      currentCall.get()?.hangUp()
      currentCall.set(null)
      await signIn({ demo: tenant })
      if (path.startsWith('/calls/')) navigate('/calls')
    })
  const others = demo.filter((one) => one.tenant !== identity?.tenant.slug)
  const signedIn = status === 'in' && identity !== null
  return (
    <>
      <button type="button" className="menu-button" popoverTarget="menu" aria-expanded={open}>
        {signedIn ? (
          <>
            <span className="menu-tenant">{identity.tenant.name}</span>
            <span className="menu-member">{identity.member.name}</span>
          </>
        ) : (
          <span className="menu-tenant">Theme</span>
        )}
      </button>
      <div
        id="menu"
        ref={popover}
        popover="auto"
        className="menu"
        onToggle={(event) => setOpen(event.newState === 'open')}
      >
        {signedIn && (
          <section>
            <p className="menu-who">{identity.member.name}</p>
            <p className="quiet">
              {identity.member.role} of {identity.tenant.name}
            </p>
            <p className="quiet">{identity.member.email}</p>
          </section>
        )}
        {signedIn && others.length > 0 && (
          <section aria-labelledby="menu-switch">
            <h2 id="menu-switch" className="label">
              Switch brokerage
            </h2>
            <ul className="menu-list">
              {others.map((one) => (
                <li key={one.tenant}>
                  <button type="button" onClick={() => void switchTo(one.tenant)}>
                    <span>{one.tenant_name}</span>
                    <span className="quiet">
                      as {one.member_name}, {one.role}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
        <section>
          <fieldset className="segmented">
            <legend className="label">Theme</legend>
            {THEMES.map(([value, label]) => (
              <label key={value}>
                <input
                  type="radio"
                  name="theme"
                  value={value}
                  checked={chosen === value}
                  onChange={() => setTheme(value)}
                />
                <span>{label}</span>
              </label>
            ))}
          </fieldset>
        </section>
        {signedIn && (
          <section>
            <button type="button" className="button" onClick={() => void attempt(signOut)}>
              Sign out
            </button>
          </section>
        )}
        {problem !== null && <ProblemNote problem={problem} />}
      </div>
    </>
  )
}
