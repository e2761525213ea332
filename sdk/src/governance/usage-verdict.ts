import { isCodedError, messageOf } from '../protocol/errors.js'
import { canonicalJson } from '../protocol/canonical-json.js'
import { readBlockMark } from './blocks.js'
import { type UsageFigures, type UsageShare, areEqualFigures, sumFigures } from './usage-figures.js'
import { type UsageStatement, isSignedBySigner, parseUsageStatement, unsigned } from './usage-format.js'
import { type UsageOptions, type UsageQuestion, readClaimedBlocks, readUsageSigner, reckonUsage, usageClient } from './usage-statement.js'

export const USAGE_STEPS = ['form', 'sums', 'signature', 'chain', 'signer', 'figures'] as const
export type UsageStep = (typeof USAGE_STEPS)[number]

/** `unchecked`: nothing to check it by, a signature that is not there or a node that was not named. */
export interface UsageStepResult {
  readonly step: UsageStep
  readonly outcome: 'ok' | 'wrong' | 'unchecked'
  /** What is wrong, or missing. */
  readonly reason?: string
}

export interface UsageVerdict {
  /** Nothing is wrong; see the steps for what could not be checked. */
  readonly isSound: boolean
  readonly steps: readonly UsageStepResult[]
  /** Undefined when it has not the form of one. */
  readonly statement: UsageStatement | undefined
}

/**
 * Without a node: form, sums and signature. With one: that the chain is this, that the register had the signer with these
 * bodies, and every figure, reckoned anew.
 * @param source the text of a statement, or what `JSON.parse` made of it
 * @throws SonghuaError `RPC_…` when the node does not answer
 */
export async function verifyUsageStatement(
  source: unknown,
  options: { node?: UsageOptions; onProgress?: UsageQuestion['onProgress'] } = {},
): Promise<UsageVerdict> {
  const steps: UsageStepResult[] = []
  const check = async (step: UsageStep, run: () => string | undefined | Promise<string | undefined>): Promise<void> => {
    const reason = await reasonOf(run)
    steps.push(reason === undefined ? { step, outcome: 'ok' } : { step, outcome: 'wrong', reason })
  }
  const skip = (step: UsageStep, reason: string): void => void steps.push({ step, outcome: 'unchecked', reason })
  let statement: UsageStatement | undefined
  await check('form', () => {
    statement = parseUsageStatement(typeof source === 'string' ? JSON.parse(source) : source)
    return undefined
  })
  if (statement === undefined) return { isSound: false, steps, statement }
  const read = statement
  await check('sums', () => wrongSum(read))
  if (read.signature === undefined && read.signer === undefined) skip('signature', 'nobody has signed it')
  else await check('signature', () => (isSignedBySigner(read) ? undefined : 'it is not by the key of the signer'))
  const { node } = options
  if (node === undefined) for (const step of ['chain', 'signer', 'figures'] as const) skip(step, 'no node was asked')
  else await checkByNode(read, { node, onProgress: options.onProgress, check, skip })
  return { isSound: steps.every(({ outcome }) => outcome !== 'wrong'), steps, statement }
}

interface ByNode {
  readonly node: UsageOptions
  readonly onProgress: UsageQuestion['onProgress'] | undefined
  readonly check: (step: UsageStep, run: () => Promise<string | undefined>) => Promise<void>
  readonly skip: (step: UsageStep, reason: string) => void
}

async function checkByNode(statement: UsageStatement, { node, onProgress, check, skip }: ByNode): Promise<void> {
  const rpc = usageClient(node)
  const genesis = await readBlockMark(rpc, 0, node.signal)
  const isThisChain = genesis.hash === statement.chain.genesisHash
  await check('chain', () => Promise.resolve(isThisChain ? undefined : `the node's chain begins with ${genesis.hash}`))
  if (!isThisChain) {
    for (const step of ['signer', 'figures'] as const) skip(step, 'the node is of another chain')
    return
  }
  const { signer } = statement
  if (signer === undefined) skip('signer', 'nobody has signed it')
  else {
    await check('signer', async () => {
      const registered = await readUsageSigner(signer.address, node, signer.asOf.number)
      return canonicalJson(registered) === canonicalJson(signer) ? undefined : `the register had ${canonicalJson(registered)}`
    })
  }
  await check('figures', async () => {
    const { month, organisation } = statement
    const blocks = await readClaimedBlocks(rpc, statement, node.signal)
    const question = { month, ...(organisation !== undefined && { organisation }), ...(onProgress && { onProgress }) }
    return difference(unsigned(statement), await reckonUsage(rpc, question, { blocks, signal: node.signal }), '')
  })
}

/** Coded errors of a check are what is wrong; a node that does not answer says nothing about the statement. */
async function reasonOf(run: () => string | undefined | Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await run()
  } catch (error) {
    const isOfTheStatement = error instanceof SyntaxError || error instanceof RangeError || (isCodedError(error) && !error.code.startsWith('RPC_'))
    if (isOfTheStatement) return messageOf(error)
    throw error
  }
}

/** Every total is the sum of its parts, however it is cut. */
function wrongSum({ total, applications, creations, organisations, newcomers }: UsageStatement): string | undefined {
  const shares: [string, UsageShare][] = [
    ...organisations.map((one) => [`organisations ${one.uscc}`, one] as [string, UsageShare]),
    ...(newcomers === undefined ? [] : [['newcomers', newcomers] as [string, UsageShare]]),
  ]
  const sums: [string, UsageFigures, UsageFigures[]][] = [
    ['total of organisations', total, shares.map(([, share]) => share.total)],
    ['total of applications', total, [...applications, creations]],
    ...shares.flatMap(([name, share]): [string, UsageFigures, UsageFigures[]][] => [
      [`${name}, accounts`, share.total, [...share.accounts]],
      [`${name}, applications`, share.total, [...share.applications, share.creations]],
    ]),
  ]
  const wrong = sums.find(([, whole, parts]) => !areEqualFigures(whole, sumFigures(parts)))
  return wrong === undefined ? undefined : `${wrong[0]}: the parts do not add up`
}

/** The first place at which two values differ; undefined when they are the same. */
function difference(stated: unknown, found: unknown, path: string): string | undefined {
  if (typeof stated !== 'object' || typeof found !== 'object' || stated === null || found === null) {
    return stated === found ? undefined : `${path}: the statement has ${JSON.stringify(stated)}, the chain ${JSON.stringify(found)}`
  }
  const keys = new Set([...Object.keys(stated), ...Object.keys(found)])
  for (const key of keys) {
    const [a, b] = [(stated as Record<string, unknown>)[key], (found as Record<string, unknown>)[key]]
    const inner = difference(a, b, path === '' ? key : `${path}.${key}`)
    if (inner !== undefined) return inner
  }
  return undefined
}
