import { CRASH_POINTS, type CrashOrder, type CrashPoint } from '../base/crash-points.js'
import { type CliContext, cliError } from './context.js'
import { DEVNET_CHAIN_ID } from './node-config.js'

/** Of the environment: `<point>` or `<point>:<nth>`. For tests of what survives a crash. */
export const CRASH_VARIABLE = 'SONGHUA_CRASH_AT'
const NTH_MAX = 1_000_000

/**
 * Where this node is to be killed; undefined when nobody ordered it.
 * @throws CLI_CRASH_POINT for an unknown point or count, and on every chain but a devnet
 */
export function readCrashOrder(
  context: CliContext,
  environment: Readonly<Record<string, string | undefined>>,
  chainId: number,
): CrashOrder | undefined {
  const text = environment[CRASH_VARIABLE]
  if (text === undefined || text === '') return undefined
  if (chainId !== DEVNET_CHAIN_ID) throw cliError(context, 'CLI_CRASH_POINT', ['crashDevnetOnly', { chainId }])
  const [, point = '', count = '1'] = /^([^:]*)(?::(\d{1,7}))?$/.exec(text) ?? []
  const nth = Number(count)
  if (isCrashPoint(point) && nth >= 1 && nth <= NTH_MAX) return { point, nth }
  const known = Object.keys(CRASH_POINTS).join(', ')
  throw cliError(context, 'CLI_CRASH_POINT', ['crashUnknown', { value: JSON.stringify(text), max: NTH_MAX, known }])
}

function isCrashPoint(text: string): text is CrashPoint {
  return Object.hasOwn(CRASH_POINTS, text)
}
