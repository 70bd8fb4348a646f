// What the first page loads, compressed: the entry, what it preloads, its styles, and the page itself.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const BUDGET_KB = 150
const dist = join(import.meta.dirname, '..', 'dist')
let html
try {
  html = readFileSync(join(dist, 'index.html'), 'utf8')
} catch {
  console.error('There is no dist/index.html: run `npm run build` first.')
  process.exit(1)
}
const files = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css|svg|webmanifest))"/g)].map(
  (match) => match[1],
)
let total = 0
for (const file of ['index.html', ...new Set(files)]) {
  const size = gzipSync(readFileSync(join(dist, file)), { level: 9 }).length
  total += size
  console.log(`${(size / 1024).toFixed(1).padStart(7)} KB  ${file}`)
}
console.log(`${(total / 1024).toFixed(1).padStart(7)} KB  first page, gzip (budget ${BUDGET_KB} KB)`)
if (total > BUDGET_KB * 1024) process.exit(1)
