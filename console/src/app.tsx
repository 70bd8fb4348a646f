import { lazy, Suspense, useEffect } from 'react'
import { AwayError, ProblemError } from './api/client'
import { connection, lost } from './api/connection'
import { useFollowedCalls } from './api/live'
import { look, session } from './api/session'
import { useStore } from './api/store'
import { currentCall } from './current-call'
import { CallPage } from './pages/call'
import { CallDetailPage } from './pages/call-detail'
import { CallsPage } from './pages/calls'
import { NotFoundPage } from './pages/not-found'
import { SignInPage } from './pages/sign-in'
import { AwayBanner } from './parts/away-banner'
import { Boundary } from './parts/boundary'
import { Header } from './parts/header'
import { Loading } from './parts/states'
import { usePlace } from './router'

const DocsPage = lazy(() => import('./pages/docs'))

export function App() {
  const { path } = usePlace()
  const { status, identity } = useStore(session)
  const { epoch } = useStore(connection)
  useEffect(() => {
    look().catch((error: unknown) => {
      // The banner says so; this comes again when the server does.
      if (error instanceof AwayError) return
      // A server that cannot say who is there is as good as away.
      if (error instanceof ProblemError && error.problem.status >= 500) lost()
      else throw error
    })
  }, [epoch])
  useEffect(() => {
    // Whoever is not signed in holds no call.
    if (status === 'out') currentCall.get()?.hangUp()
    if (status === 'out') currentCall.set(null)
  }, [status])
  useFollowedCalls(status === 'in' ? (identity?.tenant.id ?? null) : null)
  return (
    <>
      <a className="skip" href="#main">
        To the content
      </a>
      <Header />
      <AwayBanner />
      <main id="main" tabIndex={-1}>
        <Boundary key={path}>
          <Route />
        </Boundary>
      </main>
    </>
  )
}

function Route() {
  const { status, identity } = useStore(session)
  const { path } = usePlace()
  if (path === '/docs') {
    return (
      <Suspense fallback={<Loading what="the API" />}>
        <DocsPage />
      </Suspense>
    )
  }
  if (status === 'loading') return <Loading what="the console" />
  if (status === 'out' || identity === null) return <SignInPage />
  if (path === '/') return <CallPage key={identity.tenant.id} identity={identity} />
  if (path === '/calls') return <CallsPage key={identity.tenant.id} identity={identity} />
  const id = /^\/calls\/([^/]+)$/.exec(path)?.[1]
  if (id !== undefined) return <CallDetailPage key={id} id={id} identity={identity} />
  return <NotFoundPage />
}
