import { council } from '@songhua/contracts/generated/Council'
import { nodeRegister } from '@songhua/contracts/generated/NodeRegister'
import { organisationRegister } from '@songhua/contracts/generated/OrganisationRegister'
import { policyRegister } from '@songhua/contracts/generated/PolicyRegister'
import { usageRegister } from '@songhua/contracts/generated/UsageRegister'
import {
  COUNCIL_ADDRESS, NODE_REGISTER_ADDRESS, ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS, USAGE_REGISTER_ADDRESS,
} from '@songhua/contracts/addresses'
import { COUNCIL, NODE_REGISTER, ORGANISATION_REGISTER, POLICY_REGISTER, USAGE_REGISTER } from '@songhua/sdk/governance/contracts'
import { MOTIONS } from '@songhua/sdk/governance/motions'
import { Interface } from 'ethers'
import { describe, expect, it } from 'vitest'

describe('the interfaces of the SDK', () => {
  it.each([
    [COUNCIL, council, COUNCIL_ADDRESS],
    [NODE_REGISTER, nodeRegister, NODE_REGISTER_ADDRESS],
    [ORGANISATION_REGISTER, organisationRegister, ORGANISATION_REGISTER_ADDRESS],
    [POLICY_REGISTER, policyRegister, POLICY_REGISTER_ADDRESS],
    [USAGE_REGISTER, usageRegister, USAGE_REGISTER_ADDRESS],
  ])('are those of the compiled contract: $name', (own, { name, abi }, address) => {
    expect([own.name, own.address]).toEqual([name, address])
    expect(own.abi.format().sort()).toEqual(new Interface(abi).format().sort())
  })

  it('number the motions without a gap, and name functions that exist', () => {
    const numbers = Object.values(MOTIONS).map(({ number }) => number).sort((a, b) => a - b)
    expect(numbers).toEqual(Array.from({ length: 24 }, (_, index) => index + 1))
    for (const [kind, { contract }] of Object.entries(MOTIONS)) expect(contract.abi.getFunction(kind)).not.toBeNull()
  })
})
