import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app'
import './design/tokens.css'
import './design/base.css'
import './design/parts.css'

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no root.')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
