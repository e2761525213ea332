import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '@songhua/node/storage/table'
import { type KeyRingFile, openKeyRing } from '@songhua/node/storage/key-ring-file'
import { openLevelTable } from '@songhua/node/storage/level-table'
import { type Clock, systemClock } from '@songhua/node/base/clock'
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions, type EnginePorts, type GatewayEngine, createGatewayEngine } from '@songhua/node/gateway/engine'
import type { Caller, Scope, Submission, SubmittedRecord } from '@songhua/node/gateway/model'
import { ENTRY, EVENT, LICENCE, REPAIR, USCC, registry } from '../records/samples.js'
import { type AnchorChain, CHAIN_ID, quiet } from './anchor-chain.js'

export const ISSUER = `uscc:${USCC.bureau}`
export const OTHER_ISSUER = `uscc:${USCC.shop}`
export const ACCOUNT_KEY = new Uint8Array(32).fill(0x5a)
export const SECRET = Uint8Array.from({ length: 32 }, (_, at) => at * 5 + 1)

export const callerOf = (keyId: string, issuer: string, ...scopes: Scope[]): Caller => ({ keyId, issuer, scopes: new Set(scopes) })
export const CALLER = callerOf('key-1', ISSUER, 'records:write', 'payload:erase', 'records:hold')
export const OTHER_CALLER = callerOf('key-2', OTHER_ISSUER, 'records:write', 'payload:erase', 'records:hold')

export { REPAIR, ENTRY }

/** Different for each number. */
export const licence = (number: number, more: object = {}): SubmittedRecord =>
  ({ schema: 'government.licence', payload: { ...LICENCE, XK_WSH: `哈市监许〔2026〕${number}号` }, ...more })
export const event = (serial: number): SubmittedRecord =>
  ({ schema: 'trace.epcis', payload: { ...EVENT, epcList: [`urn:epc:id:sgtin:0614141.107346.${serial}`] } })
export const licences = (count: number, from = 0): SubmittedRecord[] => Array.from({ length: count }, (_, at) => licence(from + at))

export const submission = (records: readonly SubmittedRecord[], more: Partial<Submission> = {}): Submission =>
  ({ caller: CALLER, records, partial: false, ...more })

/** The gateway's folders, and what is opened over them. */
export interface Gateway {
  readonly engine: GatewayEngine
  readonly table: Table
  readonly ring: KeyRingFile
  /** As a program that ends in good order. */
  stop(): Promise<void>
  /** As a program that is killed: nothing is finished, and what it still does afterwards changes nothing. */
  kill(): Promise<void>
}

export interface GatewayChanges {
  readonly options?: Partial<Omit<EngineOptions, 'batch'>> & { batch?: Partial<EngineOptions['batch']> }
  readonly ports?: (ports: EnginePorts) => Partial<EnginePorts>
  readonly clock?: Clock
}

export async function openGateway(folder: string, chain: AnchorChain, { options, ports, clock = systemClock }: GatewayChanges = {}): Promise<Gateway> {
  await mkdir(join(folder, 'keys'), { recursive: true })
  const table = await openLevelTable(join(folder, 'store'))
  const ring = await openKeyRing(join(folder, 'keys', 'ring'))
  const life = { isOver: false }
  const real: EnginePorts = {
    table: mortal(table, life), keyRing: mortalRing(ring, life), writer: mortal(chain.writer, life), proofs: chain.proofs, registry,
    clock, logger: quiet,
  }
  const engine = await createGatewayEngine(
    {
      ...DEFAULT_ENGINE_OPTIONS,
      chainId: CHAIN_ID, genesisHash: chain.genesisHash, accountKey: ACCOUNT_KEY, secret: SECRET,
      ...options,
      batch: { ...DEFAULT_ENGINE_OPTIONS.batch, delayMsMax: 20, ...options?.batch },
    },
    { ...real, ...ports?.(real) },
  )
  const close = async (): Promise<void> => {
    await table.close()
    await ring.close()
  }
  return {
    engine, table, ring,
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

/** Calls of a program that is dead never come back. */
function mortal<T extends object>(port: T, life: { isOver: boolean }): T {
  return new Proxy(port, {
    get(target, name) {
      const value = target[name as keyof T]
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (life.isOver) return new Promise(() => undefined)
        return (value as (...all: unknown[]) => unknown).apply(target, args)
      }
    },
  })
}

function mortalRing(ring: KeyRingFile, life: { isOver: boolean }): KeyRingFile {
  return mortal(ring, life)
}

/** Mines until all are anchored. */
export async function anchorAll({ engine }: Gateway, chain: AnchorChain, ids: readonly string[]): Promise<void> {
  const mining = { isOver: false }
  const mine = async (): Promise<void> => {
    while (!mining.isOver) {
      await chain.mine()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const running = mine()
  try {
    if (await engine.intake.anchored(ids, 20_000)) return
  } finally {
    mining.isOver = true
    await running
  }
  throw new Error(`not anchored in time: ${JSON.stringify(engine.stats())}`)
}

export async function acceptAll({ engine }: Gateway, records: readonly SubmittedRecord[], more: Partial<Submission> = {}): Promise<string[]> {
  const { outcomes } = await engine.intake.accept(submission(records, more))
  return outcomes.map((outcome) => {
    if ('id' in outcome) return outcome.id
    throw new Error(`refused: ${outcome.refusal.code} ${outcome.refusal.message}`)
  })
}
