import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

/**
 * A copy of the built node that knows protocol versions up to `max`: another release, as far as the chain can tell. It
 * shares the packages of this repository.
 * @returns its program, to be started in place of `node/bin/songhua.mjs`
 */
export async function createBuild(folder: string, { max }: { max: number }): Promise<string> {
  const node = join(folder, 'node')
  await mkdir(node, { recursive: true })
  for (const part of ['bin', 'dist', 'package.json']) await cp(join(ROOT, 'node', part), join(node, part), { recursive: true })
  // npm keeps beside a package what another one needs in another version.
  for (const part of ['node_modules', 'node/node_modules']) {
    if (existsSync(join(ROOT, part))) await symlink(join(ROOT, part), join(folder, part), 'dir')
  }
  const file = join(node, 'dist', 'app', 'version.js')
  const text = await readFile(file, 'utf8')
  const patched = text.replace(/PROTOCOL_VERSIONS = \{ min: (\d+), max: \d+ \}/, `PROTOCOL_VERSIONS = { min: $1, max: ${max} }`)
  if (patched === text) throw new Error(`${file} names no other PROTOCOL_VERSIONS than max ${max}`)
  await writeFile(file, patched)
  return join(node, 'bin', 'songhua.mjs')
}
