import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { type BuildFailure, type Plugin, build } from 'esbuild'
import { messageOf } from '@songhua/sdk/protocol/errors'
import { ROOT, ownPackages } from '../own-packages.js'
import { type Edit, type Mutant, applyEdits } from './mutant.js'

const TRIAL = join(import.meta.dirname, 'trial.ts')

function changedSources(edits: readonly Edit[], applied: Set<string>): Plugin {
  return {
    name: 'changed-sources',
    setup(bundler) {
      bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const file = relative(ROOT, path)
        const here = edits.filter((edit) => edit.file === file)
        if (here.length === 0) return undefined
        applied.add(file)
        try {
          return { contents: applyEdits(await readFile(path, 'utf8'), here), loader: 'ts', resolveDir: dirname(path) }
        } catch (error) {
          return { errors: [{ text: messageOf(error) }] }
        }
      })
    },
  }
}

/**
 * The simulator with the mutant's edits in it, as one file.
 * @throws when an edit no longer fits the sources, or its file is no part of the simulator
 */
export async function bundleMutant({ name, edits }: Pick<Mutant, 'name' | 'edits'>, outfile: string): Promise<void> {
  const applied = new Set<string>()
  try {
    await build({
      entryPoints: [TRIAL],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      // Has a binary, and takes care of its own loading.
      external: ['tiny-secp256k1'],
      logLevel: 'silent',
      plugins: [ownPackages, changedSources(edits, applied)],
    })
  } catch (error) {
    const problems = (error as Partial<BuildFailure>).errors?.map(({ text }) => text) ?? [String(error)]
    throw new Error(`mutant ${name} cannot be built: ${problems.join('; ')}`, { cause: error })
  }
  const unused = edits.find(({ file }) => !applied.has(file))
  if (unused) throw new Error(`mutant ${name} changes ${unused.file}, which the simulator does not run`)
}
