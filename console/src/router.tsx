import { type AnchorHTMLAttributes, type MouseEvent, useMemo } from 'react'
import { Store, useStore } from './api/store'

/** Where the page is: path and query. */
const place = new Store(typeof location === 'undefined' ? '/' : location.pathname + location.search)

if (typeof window !== 'undefined') {
  window.addEventListener('popstate', () => place.set(location.pathname + location.search))
}

export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  const [path] = place.get().split('?')
  place.set(location.pathname + location.search)
  if (path !== location.pathname) scrollTo(0, 0)
}

export function usePlace(): { path: string; query: URLSearchParams } {
  const at = useStore(place)
  return useMemo(() => {
    const url = new URL(at, 'http://here')
    return { path: url.pathname.replace(/(.)\/+$/, '$1'), query: url.searchParams }
  }, [at])
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }

/** A link within the console; with a key held down it does what links do. */
export function Link({ href, onClick, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event)
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return
    event.preventDefault()
    navigate(href)
  }
  return (
    <a href={href} onClick={follow} {...rest}>
      {children}
    </a>
  )
}
