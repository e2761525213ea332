import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll } from 'vitest'
import type { CliContext } from '@songhua/node/cli/context'
import { createTranslator } from '@songhua/node/cli/messages'

export const SONGHUA = resolve(import.meta.dirname, '../../node/bin/songhua.mjs')

/** A context whose streams nobody reads. */
export function testContext(): CliContext {
  return {
    language: 'en',
    t: createTranslator('en'),
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    environment: {},
    program: SONGHUA,
  }
}

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the built command line as a process of its own, in English unless told. */
export function songhua(
  words: readonly string[],
  { stdin = '', environment = { LANG: 'en_US.UTF-8' } }: { stdin?: string; environment?: Record<string, string> } = {},
): Promise<Finished> {
  return new Promise((finished, failed) => {
    const child = spawn(process.execPath, [SONGHUA, ...words], { env: { PATH: process.env.PATH, ...environment } })
    const [stdout, stderr]: [string[], string[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString()))
    child.once('error', failed)
    child.once('close', (code) => finished({ code, stdout: stdout.join(''), stderr: stderr.join('') }))
    // A command that refuses early never reads what it is sent.
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
  })
}

/** A folder for the tests of one file, removed after them. */
export async function testFolder(): Promise<(name: string) => string> {
  const folder = await mkdtemp(join(tmpdir(), 'songhua-cli-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return (name) => join(folder, name)
}
