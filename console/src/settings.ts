import { Store } from './api/store'

export type Theme = 'auto' | 'light' | 'dark'

function read(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function write(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    // Then it is forgotten with the page.
  }
}

const kept = read('theme')

export const theme = new Store<Theme>(kept === 'light' || kept === 'dark' ? kept : 'auto')

export function setTheme(next: Theme): void {
  theme.set(next)
  write('theme', next === 'auto' ? null : next)
  if (next === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = next
}

/** Whether the microphone is sent without echo cancellation, noise suppression and gain control. */
export const asItIs = new Store<boolean>(read('microphone-as-it-is') === 'yes')

export function setAsItIs(next: boolean): void {
  asItIs.set(next)
  write('microphone-as-it-is', next ? 'yes' : null)
}
