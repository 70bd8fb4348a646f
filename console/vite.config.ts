import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { gzip } from './vite/gzip.ts'

const server = process.env['SEIKETSU_URL'] ?? 'http://localhost:8080'
const away = { target: server, changeOrigin: false, ws: true, headers: { origin: server } }

export default defineConfig({
  plugins: [react(), gzip()],
  build: {
    // What is inlined would need another Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ['chrome123', 'firefox121', 'safari17.5'],
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  server: { port: 5173, proxy: { '/v1': away, '/openapi.json': away } },
})
