import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

/** The floors: a file imports only from lower floors; folders on one floor do not import each other. */
const FLOORS: Record<string, number> = {
  'sdk/src/protocol': 0,
  'contracts/src': 0.5,
  'node/src/base': 1,
  'node/src/consensus': 2,
  'node/src/trie': 2,
  'node/src/txpool': 2,
  'node/src/permission': 2,
  'node/src/execution': 3,
  'node/src/storage': 4,
  'node/src/network': 4,
  'node/src/signer': 4,
  'node/src/rpc': 4,
  'node/src/gateway': 4,
  'node/src/services': 5,
  'node/src/app': 6,
  'node/src/cli': 7,
  'sdk/src/records': 1,
  'sdk/src/connection': 1.5,
  'sdk/src/chain': 2,
  'sdk/src/gateway': 2,
  'sdk/src/governance': 2.5,
  'sdk/src': 3,
}

/** Pure floors: no clock, no chance, no promises; time and randomness arrive as arguments. */
const PURE = ['sdk/src/protocol', 'node/src/consensus', 'node/src/trie', 'node/src/txpool', 'node/src/permission']
const IMPURE = /\bDate\.now\b|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\basync\b|\bawait\b/

/** Where programs begin: nothing imports these. */
const ENTRIES = [
  'node/src/cli/main.ts',
  'node/src/base/polyfill.ts',
  'node/src/services/call-worker-entry.ts',
  'node/src/app/gateway-entry.ts',
  'sdk/src/songhua.ts',
  'sdk/src/governance.ts',
  'sdk/src/verify.ts',
]

const FUNCTION_LINES_MAX = 70
const FILE_LINES_MAX = 500

const root = resolve(import.meta.dirname, '..')

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return ['node_modules', 'dist', 'generated'].includes(entry.name) ? [] : filesUnder(path)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : []
  })
}

const sources = ['sdk/src', 'contracts/src', 'node/src'].flatMap(filesUnder)
const everything = [...sources, ...filesUnder('test'), ...filesUnder('examples')]
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')

/** What `path` imports: our own files by their path, packages by their name. */
function importsOf(path: string): string[] {
  return ts.preProcessFile(textOf(path), true, true).importedFiles.map(({ fileName }) => {
    if (fileName.startsWith('.')) {
      return relative(root, resolve(root, dirname(path), fileName)).replace(/\.js$/, '.ts')
    }
    if (fileName === '@songhua/sdk') return 'sdk/src/songhua.ts'
    const own = /^@songhua\/(\w+)\/(.*)$/.exec(fileName)
    return own ? `${own[1]}/src/${own[2]}.ts` : fileName
  })
}

const imports = new Map(everything.map((path) => [path, importsOf(path)]))

/** The longest that matches: `sdk/src` itself holds the package's entries. */
const folderOf = (path: string): string | undefined =>
  Object.keys(FLOORS)
    .filter((folder) => path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0]

describe('tidy', () => {
  it('every source file stands on a floor', () => {
    expect(sources.filter((path) => folderOf(path) === undefined)).toEqual([])
  })

  it('imports go down the floors, never up or sideways', () => {
    const wrong = sources.flatMap((path) =>
      imports.get(path)!.flatMap((target) => {
        const from = folderOf(path)
        const to = folderOf(target)
        if (from === undefined || to === undefined || from === to) return []
        return FLOORS[to]! < FLOORS[from]! ? [] : [`${path} imports ${target}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('every import of our own names a file that exists', () => {
    const known = new Set(everything)
    const missing = sources.flatMap((path) =>
      imports
        .get(path)!
        .filter((target) => target.endsWith('.ts') && !target.includes('/generated/') && !known.has(target))
        .map((target) => `${path} imports ${target}`),
    )
    expect(missing).toEqual([])
  })

  it('there are no import cycles', () => {
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (path: string, trail: string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' > '))
      if (done.has(path) || trail.includes(path)) return
      for (const target of imports.get(path) ?? []) if (imports.has(target)) visit(target, [...trail, path])
      done.add(path)
    }
    for (const path of sources) visit(path, [])
    expect(cycles).toEqual([])
  })

  it('the protocol is browser-safe and the SDK stays clear of node:*', () => {
    const wrong = sources
      .filter((path) => path.startsWith('sdk/'))
      .flatMap((path) => imports.get(path)!.filter((target) => target.startsWith('node:')).map((t) => `${path}: ${t}`))
    expect(wrong).toEqual([])
  })

  it('the node takes of the SDK the protocol, its gateway also records and chain, its CLI what users have', () => {
    const wrong = sources
      .filter((path) => path.startsWith('node/'))
      .flatMap((path) =>
        imports
          .get(path)!
          .filter((target) => target.startsWith('sdk/') && !mayImportOfSdk(path).some((part) => target.startsWith(part)))
          .map((target) => `${path}: ${target}`),
      )
    expect(wrong).toEqual([])
  })

  it('the pure floors know no clock, chance or promise', () => {
    const wrong = sources
      .filter((path) => PURE.some((folder) => path.startsWith(`${folder}/`)))
      .flatMap((path) =>
        codeLines(path).flatMap((line, index) => (IMPURE.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
      )
    expect(wrong).toEqual([])
  })

  it('only the CLI ends the process or reads its environment', () => {
    const wrong = sources
      .filter((path) => !path.startsWith('node/src/cli/'))
      .flatMap((path) =>
        codeLines(path).flatMap((line, index) =>
          /\bprocess\.(exit|env)\b/.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [],
        ),
      )
    expect(wrong).toEqual([])
  })

  it(`no hand-written file is over ${FILE_LINES_MAX} lines, no function over ${FUNCTION_LINES_MAX}`, () => {
    const long = everything.flatMap((path) => {
      const source = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ES2023, true)
      const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line
      const found = lineAt(source.end) > FILE_LINES_MAX ? [`${path}: ${lineAt(source.end)} lines`] : []
      const visit = (node: ts.Node): void => {
        const lines = lineAt(node.end) - lineAt(node.getStart(source)) + 1
        const limited = ts.isFunctionLike(node) && sources.includes(path)
        if (limited && lines > FUNCTION_LINES_MAX) found.push(`${path}:${lineAt(node.getStart(source)) + 1} ${lines} lines`)
        ts.forEachChild(node, visit)
      }
      visit(source)
      return found
    })
    expect(long).toEqual([])
  })

  it('no file is dead: everything is imported, or is where a program begins', () => {
    const reached = new Set([...imports.values()].flat())
    const dead = sources.filter((path) => !reached.has(path) && !ENTRIES.includes(path))
    expect(dead).toEqual([])
  })

  it('the top level holds the agreed folders and no other', () => {
    const folders = readdirSync(root).filter((name) => !name.startsWith('.') && statSync(join(root, name)).isDirectory())
    expect(folders.filter((name) => name !== 'node_modules' && name !== 'coverage').sort()).toEqual(
      ['contracts', 'examples', 'node', 'sdk', 'test'],
    )
  })
})

/** The node is one implementation of the protocol; only where it serves the SDK's users does it use more of it. */
function mayImportOfSdk(path: string): string[] {
  if (path.startsWith('node/src/cli/')) return ['sdk/src/']
  if (/^node\/src\/(gateway\/|app\/gateway-)/.test(path)) return ['sdk/src/protocol/', 'sdk/src/records/', 'sdk/src/chain/']
  return ['sdk/src/protocol/']
}

/** The lines of a file with comments blanked, so that prose may speak of what code must not do. */
function codeLines(path: string): string[] {
  return textOf(path)
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/\/\/.*$/gm, '')
    .split('\n')
}
