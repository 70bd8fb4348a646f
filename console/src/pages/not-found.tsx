import { Link } from '../router'
import { useTitle } from '../title'

export function NotFoundPage() {
  const heading = useTitle('No such page')
  return (
    <div className="page narrow">
      <h1 ref={heading} tabIndex={-1}>
        There is no such page
      </h1>
      <p>
        The address may have a typing error. <Link href="/">Call an agent</Link>, or look at{' '}
        <Link href="/calls">the calls</Link>.
      </p>
    </div>
  )
}
