import { devAccounts } from '@songhua/node/cli/dev-accounts'
import type { Address } from '@songhua/sdk/protocol/bytes'

/** Administrators of a devnet's organisations: the well-known accounts. */
export const devAddresses = (): Address[] => devAccounts().map(({ address }) => address)
