import { HDNodeWallet, Mnemonic } from 'ethers'
import type { Address, Hex } from '@songhua/sdk/protocol/bytes'

/** The mnemonic that every Ethereum developer tool uses for tests; its keys are public knowledge. */
const TEST_MNEMONIC = 'test test test test test test test test test test test junk'
const DEV_ACCOUNT_COUNT = 10

export interface DevAccount {
  address: Address
  privateKey: Hex
}

/** The ten accounts of a devnet, m/44'/60'/0'/0/0 to 9: those of Hardhat and anvil. */
export function devAccounts(): DevAccount[] {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(TEST_MNEMONIC), "m/44'/60'/0'/0")
  return Array.from({ length: DEV_ACCOUNT_COUNT }, (_, index) => {
    const { address, privateKey } = root.deriveChild(index)
    return { address: address.toLowerCase() as Address, privateKey: privateKey as Hex }
  })
}
