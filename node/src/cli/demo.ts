import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Interface, JsonRpcProvider, Network, Wallet } from 'ethers'
import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { type TimedBlock, blockTimeOf } from './block-time.js'
import { type CliContext, cliError, note, print } from './context.js'
import { type SealedRecord, sealRecord } from './demo-envelope.js'
import { FAMILIES, demoRecords } from './demo-records.js'
import { replaceFile } from './files.js'
import { DEVNET_CHAIN_ID } from './node-config.js'
import { formatTable } from './table.js'

interface DemoTarget {
  rpcUrl: string
  /** Of the account that anchors. */
  privateKey: string
  /** Envelopes, payloads and salts are kept under it. */
  dir: string
  isJson: boolean
}

interface Anchored {
  record: SealedRecord
  blockNumber: number
  blockTime: string
  transactionHash: string
  finalMs: number
}
interface RpcReceipt {
  status: string
  blockNumber: string
  transactionHash: string
  logs: { topics: string[] }[]
}

const ANCHOR_GAS = 100_000n
const anchorInterface = new Interface(recordAnchor.abi)

/**
 * Anchors a first set of records, one after the other, and shows each when it is final. New ids each time, so a resumed
 * chain gets new records.
 * @throws DEMO_NOT_ANCHORED when the chain does not hold what was sent
 */
export async function runDemo(context: CliContext, target: DemoTarget): Promise<void> {
  const network = Network.from(DEVNET_CHAIN_ID)
  const provider = new JsonRpcProvider(target.rpcUrl, network, { staticNetwork: network })
  const wallet = new Wallet(target.privateKey, provider)
  const folder = join(target.dir, 'records')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!target.isJson) print(context, `\n${context.t('demoTitle')}\n`)
  const anchored: Anchored[] = []
  try {
    let nonce = await provider.getTransactionCount(wallet.address, 'pending')
    for (const record of demoRecords(new Date())) {
      const sealed = sealRecord(record, new Date())
      const file = join(folder, `${sealed.envelope.id}.json`)
      // Kept before it is sent: a digest on the chain whose payload was lost proves nothing.
      await replaceFile(file, `${JSON.stringify(sealed, undefined, 2)}\n`, 0o600)
      const one = await anchorRecord(context, { provider, wallet, record: sealed, nonce: nonce++ })
      const { blockNumber, blockTime, transactionHash } = one
      await replaceFile(
        file,
        `${JSON.stringify({ ...sealed, anchor: { blockNumber, blockTime, transactionHash } }, undefined, 2)}\n`,
        0o600,
      )
      if (target.isJson) print(context, JSON.stringify(recordEvent(one)))
      anchored.push(one)
    }
  } finally {
    provider.destroy()
  }
  if (!target.isJson) print(context, recordTable(context, anchored))
  note(context, `\n${context.t('demoStored', { path: folder })}`)
}

async function anchorRecord(
  context: CliContext,
  {
    provider,
    wallet,
    record,
    nonce,
  }: { provider: JsonRpcProvider; wallet: Wallet; record: SealedRecord; nonce: number },
): Promise<Anchored> {
  const terms = [record.batchId, record.root, 1, FAMILIES[record.envelope.family]] as const
  const raw = await wallet.signTransaction({
    type: 2,
    chainId: DEVNET_CHAIN_ID,
    nonce,
    to: RECORD_ANCHOR_ADDRESS,
    gasLimit: ANCHOR_GAS,
    maxFeePerGas: 0,
    maxPriorityFeePerGas: 0,
    data: anchorInterface.encodeFunctionData('anchor', terms),
  })
  const sentAt = performance.now()
  const receipt = (await provider.send('eth_sendRawTransactionSync', [raw])) as RpcReceipt
  const finalMs = performance.now() - sentAt
  const isLogged = receipt.logs.some(({ topics }) => topics[2] === record.batchId && topics[3] === record.root)
  const isHeld =
    anchorInterface.decodeFunctionResult(
      'isAnchored',
      await provider.call({
        to: RECORD_ANCHOR_ADDRESS,
        data: anchorInterface.encodeFunctionData('isAnchored', [wallet.address, ...terms]),
      }),
    )[0] === true
  if (receipt.status !== '0x1' || !isLogged || !isHeld) {
    const reason = `status ${receipt.status}, event ${isLogged}, stored ${isHeld}`
    throw cliError(context, 'DEMO_NOT_ANCHORED', ['demoFailed', { record: record.envelope.id, reason }])
  }
  const block = (await provider.send('eth_getBlockByNumber', [receipt.blockNumber, false])) as TimedBlock
  return {
    record,
    finalMs,
    blockNumber: Number(receipt.blockNumber),
    blockTime: blockTimeOf(block),
    transactionHash: receipt.transactionHash,
  }
}

function recordEvent({ record, finalMs, ...where }: Anchored): object {
  return {
    event: 'record',
    id: record.envelope.id,
    family: record.envelope.family,
    ...where,
    finalMs: Math.round(finalMs),
  }
}

function recordTable({ t }: CliContext, anchored: readonly Anchored[]): string {
  return formatTable(
    [t('demoRecord'), 'id', t('demoFamily'), t('demoBlock'), t('demoTime'), t('demoFinality')],
    anchored.map(({ record, blockNumber, blockTime, finalMs }) => [
      record.title,
      record.envelope.id,
      record.envelope.family,
      String(blockNumber),
      blockTime,
      `${Math.round(finalMs)} ms`,
    ]),
  )
}
