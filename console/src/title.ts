import { type RefObject, useEffect, useRef } from 'react'

let first = true

/** Names the page, and takes the focus to its heading when one comes from another page. */
export function useTitle(title: string): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = title === 'Seiketsu' ? title : `${title} · Seiketsu`
  }, [title])
  useEffect(() => {
    if (first) first = false
    else heading.current?.focus({ preventScroll: true })
  }, [])
  return heading
}
