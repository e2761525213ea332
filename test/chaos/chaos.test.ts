import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { removeDir, tempDir } from '../support/devnet.js'
import type { ChaosReport } from './chaos.js'

/** Between them the storms of these seeds kill, kill all, stop, restart, cut, partition, mute, delay and reset. */
const SEEDS = [6]
const MINUTES = 0.5

const MAIN = resolve(import.meta.dirname, 'main.ts')

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

let child: ChildProcess

function chaos(args: readonly string[]): Promise<Ended> {
  child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out = { stdout: '', stderr: '' }
  child.stdout!.on('data', (chunk: Buffer) => (out.stdout += chunk.toString()))
  child.stderr!.on('data', (chunk: Buffer) => (out.stderr += chunk.toString()))
  return new Promise((done) => child.once('close', (code) => done({ code, ...out })))
}

let dir: string
beforeAll(async () => {
  dir = await tempDir('chaos')
})
afterAll(() => removeDir(dir))
// One that outlasts its test; its reaper ends the nodes.
afterEach(() => void child.kill('SIGKILL'))

describe('npm run chaos', () => {
  it.each(SEEDS)('loses, doubles and forks nothing under seed %i', async (seed) => {
    const { code, stdout, stderr } = await chaos(['--minutes', String(MINUTES), '--seed', String(seed), '--out', dir, '--json'])
    expect([code, stderr]).toEqual([0, expect.stringContaining(`seed ${seed}`)])
    const report = JSON.parse(stdout) as ChaosReport
    expect([report.problems, report.audit.problems, report.signatures.problems]).toEqual([[], [], []])
    expect(report.audit.transactionsFinal).toBeGreaterThanOrEqual(report.acknowledged)
    expect(report.audit.recordsVerified).toBe(report.records)
    // Something was at stake, and something was done to it.
    expect(Math.min(report.acknowledged, report.records)).toBeGreaterThan(20)
    expect(report.healS).toHaveLength(report.storms)
    // A Prepare and a Commit of each of four.
    expect(report.signatures.signatures).toBeGreaterThanOrEqual(8 * report.audit.heights)
    expect(Object.keys(report.deeds)).toEqual(expect.arrayContaining(['kill', 'partition']))
  }, 600_000)

  it.each([
    [['--minutes', '1'], 'FLAG_MISSING: --seed'],
    [['--minutes', '0', '--seed', '1'], 'FLAG_BAD_VALUE: --minutes'],
    [['--minutes', '1', '--seed', '1.5'], 'FLAG_BAD_VALUE: --seed'],
    [['--minutes', '1', '--seed', '1', '--speed', '2'], "FLAG_UNKNOWN: Unknown option '--speed'"],
  ])('refuses %j', async (args, words) => {
    expect(await chaos(args)).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(words) as string })
  })
})
