import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'tests',
  // Two runs at a time must not clear each other's.
  outputDir: process.env['TEST_RESULTS'] ?? 'test-results',
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    launchOptions: { executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium' },
    viewport: { width: 1280, height: 860 },
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'e2e', testMatch: '*.e2e.ts' },
    { name: 'screenshots', testMatch: '*.shots.ts' },
  ],
})
