import { join, resolve } from 'node:path'
import type { Plugin } from 'esbuild'

export const ROOT = resolve(import.meta.dirname, '../..')

/** Resolves the packages of this repository to their sources, not to what was built of them last. */
export const ownPackages: Plugin = {
  name: 'own-packages',
  setup(bundler) {
    bundler.onResolve({ filter: /^@songhua\/(sdk|node|contracts)\// }, ({ path }) => {
      const [, workspace, ...inside] = path.split('/')
      return { path: `${join(ROOT, workspace!, 'src', ...inside)}.ts` }
    })
  },
}
