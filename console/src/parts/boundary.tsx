import { Component, type ReactNode } from 'react'
import { useTitle } from '../title'

/** Stands in for a page that cannot be drawn; everything around it stays. */
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true }
  }

  override render(): ReactNode {
    return this.state.broken ? <Broken /> : this.props.children
  }
}

function Broken() {
  const heading = useTitle('Something went wrong')
  return (
    <div className="page">
      <h1 ref={heading} tabIndex={-1}>
        Something went wrong on this page
      </h1>
      <div className="problem" role="alert">
        <p className="problem-title">The page cannot be shown</p>
        <p>It may be older than the server. Reloading helps then, and ends a call that is on.</p>
        <button type="button" className="button" onClick={() => location.reload()}>
          Reload the page
        </button>
      </div>
    </div>
  )
}
