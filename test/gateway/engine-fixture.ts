import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '@songhua/node/storage/table'
import { type KeyRingFile, openKeyRing } from '@songhua/node/storage/key-ring-file'
import { openLevelTable } from '@songhua/node/storage/level-table'
import { type Clock, systemClock } from '@songhua/node/base/clock'
import {
  DEFAULT_ENGINE_OPTIONS,
  type EngineOptions,
  type EnginePorts,
  type GatewayEngine,
  createGatewayEngine,
} from '@songhua/node/gateway/engine'
import type { Caller, Scope, Submission, SubmittedRecord } from '@songhua/node/gateway/model'
import type { Subject } from '@songhua/sdk/records/subject'
import { ENTRY, EVENT, LICENCE, USCC, registry } from '../records/samples.js'
import { type AnchorChain, CHAIN_ID, quiet } from './anchor-chain.js'

export const ISSUER = `uscc:${USCC.bureau}`
export const OTHER_ISSUER = `uscc:${USCC.shop}`
export const ACCOUNT_KEY = new Uint8Array(32).fill(0x5a)
export const SECRET = Uint8Array.from({ length: 32 }, (_, at) => at * 5 + 1)

export const callerOf = (keyId: string, issuer: string, ...scopes: Scope[]): Caller => ({
  keyId,
  issuer,
  scopes: new Set(scopes),
})
export const CALLER = callerOf('key-1', ISSUER, 'records:write', 'payload:erase', 'records:hold')
export const OTHER_CALLER = callerOf('key-2', OTHER_ISSUER, 'records:write', 'payload:erase', 'records:hold')

/** Different for each number. */
export const licence = (number: number, more: object = {}): SubmittedRecord => ({
  schema: 'government.licence',
  payload: { ...LICENCE, XK_WSH: `哈市监许〔2026〕${number}号` },
  ...more,
})
const item = (serial: number): Subject => ({
  kind: 'public',
  scheme: 'gs1',
  id: `https://id.gs1.org/01/10614141073464/21/${serial}`,
})
export const event = (serial: number, more: object = {}): SubmittedRecord => ({
  schema: 'trace.object-event',
  payload: { ...EVENT, epcList: [`urn:epc:id:sgtin:0614141.107346.${serial}`] },
  subject: item(serial),
  ...more,
})
export const PERSON: Subject = { kind: 'commitment', algorithm: 'HMAC-SHA-256', keyId: 'k1', value: 'ab'.repeat(32) }
/** Kept as long as the subject consents. */
export const entry = (content: string): SubmittedRecord => ({
  schema: 'credit.reporting.entry',
  payload: { ...ENTRY, content },
  subject: PERSON,
})
export const licences = (count: number, from = 0): SubmittedRecord[] =>
  Array.from({ length: count }, (_, at) => licence(from + at))

export const submission = (records: readonly SubmittedRecord[], more: Partial<Submission> = {}): Submission => ({
  caller: CALLER,
  records,
  partial: false,
  ...more,
})

/** The gateway's folders, and what is opened over them. */
export interface Gateway {
  readonly engine: GatewayEngine
  readonly table: Table
  readonly ring: KeyRingFile
  /** Resolves at the death that was asked for. */
  readonly died: Promise<void>
  steps(): number
  /** As a program that ends in good order. */
  stop(): Promise<void>
  /** As a program that is killed: nothing is finished, and what it still does afterwards changes nothing. */
  kill(): Promise<void>
}

export interface GatewayChanges {
  readonly options?: Partial<Omit<EngineOptions, 'batch'>> & { batch?: Partial<EngineOptions['batch']> }
  readonly ports?: (ports: EnginePorts) => Partial<EnginePorts>
  readonly clock?: Clock
  readonly death?: Death
}

/** The program dies at its n-th durable step (from 0), before or after it has taken effect. */
export interface Death {
  readonly step: number
  readonly when: 'before' | 'after'
}

export async function openGateway(
  folder: string,
  chain: AnchorChain,
  { options, ports, clock = systemClock, death }: GatewayChanges = {},
): Promise<Gateway> {
  await mkdir(join(folder, 'keys'), { recursive: true })
  const table = await openLevelTable(join(folder, 'store'))
  const ring = await openKeyRing(join(folder, 'keys', 'ring'))
  let onDeath = (): void => undefined
  const died = new Promise<void>((resolve) => (onDeath = resolve))
  const life: Life = { isOver: false, steps: 0, death, onDeath: () => onDeath() }
  const real: EnginePorts = {
    table: mortal(table, life),
    keyRing: mortal(ring, life),
    writer: mortal(chain.writer, life),
    proofs: chain.proofs,
    registry,
    clock,
    logger: quiet,
  }
  const close = async (): Promise<void> => {
    await table.close()
    await ring.close()
  }
  const engine = await createGatewayEngine(
    {
      ...DEFAULT_ENGINE_OPTIONS,
      chainId: CHAIN_ID,
      genesisHash: chain.genesisHash,
      accountKey: ACCOUNT_KEY,
      secret: SECRET,
      ...options,
      batch: { ...DEFAULT_ENGINE_OPTIONS.batch, delayMsMax: 20, ...options?.batch },
    },
    { ...real, ...ports?.(real) },
  ).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    engine,
    table,
    ring,
    died,
    steps: () => life.steps,
    async stop() {
      await engine.stop()
      await close()
    },
    async kill() {
      life.isOver = true
      await close()
      void engine.stop().catch(() => undefined)
    },
  }
}

interface Life {
  isOver: boolean
  /** Steps by which something becomes durable, or is told to somebody. */
  steps: number
  readonly death: Death | undefined
  readonly onDeath: () => void
}

const DURABLE_STEPS = ['write', 'add', 'erase', 'submit']

/** Calls of a program that is dead never come back. */
function mortal<T extends object>(port: T, life: Life): T {
  return new Proxy(port, {
    get(target, name) {
      const value = target[name as keyof T]
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        const call = (): unknown => (value as (...all: unknown[]) => unknown).apply(target, args)
        if (life.isOver) return new Promise(() => undefined)
        if (!DURABLE_STEPS.includes(String(name)) || life.steps++ !== life.death?.step) return call()
        return die(call, life)
      }
    },
  })
}

async function die(call: () => unknown, life: Life): Promise<unknown> {
  if (life.death!.when === 'after') await call()
  life.isOver = true
  life.onDeath()
  return new Promise(() => undefined)
}

/** Mines until all are anchored. */
export async function anchorAll({ engine }: Gateway, chain: AnchorChain, ids: readonly string[]): Promise<void> {
  const stopMining = chain.keepMining()
  const isAnchored = await engine.intake.anchored(ids, 20_000)
  await stopMining()
  if (!isAnchored) throw new Error(`not anchored in time: ${JSON.stringify(engine.stats())}`)
}

export async function acceptAll(
  { engine }: Gateway,
  records: readonly SubmittedRecord[],
  more: Partial<Submission> = {},
): Promise<string[]> {
  const { outcomes } = await engine.intake.accept(submission(records, more))
  return outcomes.map((outcome) => {
    if ('id' in outcome) return outcome.id
    throw new Error(`refused: ${outcome.refusal.code} ${outcome.refusal.message}`)
  })
}
