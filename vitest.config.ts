import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (workspace: string): string => fileURLToPath(new URL(`./${workspace}/src/`, import.meta.url))

/** Unit tests read the packages' sources; tests with real processes run the built `dist`. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@songhua\/sdk$/, replacement: `${source('sdk')}songhua.ts` },
      ...['sdk', 'contracts', 'node'].map((workspace) => ({
        find: new RegExp(`^@songhua/${workspace}/(.*)$`),
        replacement: `${source(workspace)}$1.ts`,
      })),
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    globalSetup: [],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
})
