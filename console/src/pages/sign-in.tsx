import { type SubmitEvent, useState } from 'react'
import { AwayError, ProblemError } from '../api/client'
import { problemOf } from '../api/resource'
import { type Credentials, session, signIn } from '../api/session'
import { useStore } from '../api/store'
import type { Problem } from '../api/types'
import { ProblemNote } from '../parts/states'
import { useTitle } from '../title'

export function SignInPage() {
  const { demo, ended } = useStore(session)
  const heading = useTitle(ended ? 'Sign in again' : 'Seiketsu')
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState<string | null>(null)
  const attempt = async (name: string, credentials: Credentials): Promise<void> => {
    setBusy(name)
    setProblem(null)
    try {
      await signIn(credentials)
    } catch (error) {
      setBusy(null)
      if (error instanceof AwayError) return
      setProblem(withAdvice(error))
    }
  }
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const field = (name: string): string => {
      const value = form.get(name)
      return typeof value === 'string' ? value : ''
    }
    void attempt('form', {
      tenant: field('tenant').trim(),
      email: field('email').trim(),
      password: field('password'),
    })
  }
  return (
    <div className="page sign-in">
      <section className="hero">
        {ended ? (
          <>
            <div role="alert">
              <h1 ref={heading} tabIndex={-1} className="ended">
                Your session has ended. Sign in again to go on.
              </h1>
            </div>
            <p className="lead">You will be back where you were.</p>
          </>
        ) : (
          <>
            <h1 ref={heading} tabIndex={-1}>
              Call an agent, and hear it answer.
            </h1>
            <p className="lead">
              Seiketsu runs the phone agents of real-estate brokerages. Talk with one from this page and see
              where each millisecond of its answer goes.
            </p>
          </>
        )}
        <PromisePicture />
        <p className="quiet promise-words">
          Two seconds after your last sound you are to have heard a word. Every answer is measured against
          that line, on this page and on record.
        </p>
      </section>
      <div className="ways-in">
        {demo.length > 0 && (
          <section aria-labelledby="demo">
            <h2 id="demo" className="label">
              Demo brokerages: one click signs in
            </h2>
            <ul className="doors">
              {demo.map((one) => (
                <li key={one.tenant}>
                  <button
                    type="button"
                    className="door"
                    disabled={busy !== null}
                    onClick={() => void attempt(one.tenant, { demo: one.tenant })}
                  >
                    <span className="door-name">{one.tenant_name}</span>
                    <span className="door-who">
                      {busy === one.tenant ? 'Signing in…' : `Sign in as ${one.member_name}, ${one.role}`}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
        <section aria-labelledby="password-way">
          <h2 id="password-way" className="label">
            {demo.length > 0 ? 'Or with a password' : 'Sign in'}
          </h2>
          <form className="form" onSubmit={submit}>
            <label>
              Brokerage
              <input
                name="tenant"
                required
                autoComplete="organization"
                autoCapitalize="none"
                spellCheck={false}
                placeholder="biscayne-bay-homes"
              />
            </label>
            <label>
              E-mail
              <input name="email" type="email" required autoComplete="username" />
            </label>
            <label>
              Password
              <input name="password" type="password" required autoComplete="current-password" />
            </label>
            <button type="submit" className="button" disabled={busy !== null}>
              {busy === 'form' ? 'Signing in…' : 'Sign in'}
            </button>
          </form>
        </section>
        {problem !== null && <ProblemNote problem={problem} />}
      </div>
    </div>
  )
}

/** The promise as a picture: what the whole console is drawn against. */
function PromisePicture() {
  return (
    <div className="promise" aria-hidden="true">
      <div className="promise-axis">
        <span className="promise-from">You stop speaking</span>
        <span className="promise-to">2 s</span>
        <span className="promise-bar" />
        <span className="promise-line" />
        <span className="promise-note">You hear the agent</span>
      </div>
    </div>
  )
}

function withAdvice(error: unknown): Problem {
  const problem = problemOf(error)
  if (!(error instanceof ProblemError) || problem.status !== 429) return problem
  const wait = error.retryAfterSeconds
  return { ...problem, detail: `Try again in ${wait === null ? 'a while' : `${wait} seconds`}.` }
}
