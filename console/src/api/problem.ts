import type { Problem } from './types'

export function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false
  const { title, status } = value as Record<string, unknown>
  return typeof title === 'string' && typeof status === 'number'
}
