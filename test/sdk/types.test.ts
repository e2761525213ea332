import { describe, expect, expectTypeOf, it } from 'vitest'
import type {
  AnchoredRecord, ChainConnection, GatewayConnection, PayloadBySchema, RecordInput, RefusedRecord, SchemaId, connect,
} from '@songhua/sdk'
import { LICENCE } from '../records/samples.js'
import { SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'

/** Never called: what the compiler says of it is the test, and `@ts-expect-error` fails where it says nothing. */
async function departments(gateway: GatewayConnection, chain: ChainConnection): Promise<void> {
  const { records } = gateway
  await records.anchor({ schema: 'government.licence', payload: LICENCE })
  await records.anchor({ schema: 'province.own-schema', payload: { anything: 1 } })
  // @ts-expect-error a kind of person that 双公示 does not know
  await records.anchor({ schema: 'government.licence', payload: { ...LICENCE, XK_XDR_TYPE: '法人' } })
  // @ts-expect-error without what is required
  await records.anchor({ schema: 'government.licence', payload: { XK_XDR_MC: '松花江食品有限公司' } })
  // @ts-expect-error a number where the schema has a text
  await records.anchor({ schema: 'government.licence', payload: { ...LICENCE, XK_WSH: 88 } })
  // @ts-expect-error the payload of another schema
  await chain.records.anchor({ schema: 'trace.object-event', payload: LICENCE })
  // @ts-expect-error no payload
  await chain.records.anchor({ schema: 'government.licence' })
  // @ts-expect-error a retention class that is none
  await records.anchor({ schema: 'government.licence', payload: LICENCE, retention: '7y' })
  // @ts-expect-error one bad record in a list
  records.anchorMany([{ schema: 'government.licence' as const, payload: { XK_XDR_MC: 1 } }])
}

describe('the types', () => {
  it('check payloads by schema id', () => {
    expect(departments).toBeTypeOf('function')
    expectTypeOf<PayloadBySchema['government.licence']['XK_XDR_TYPE']>().toEqualTypeOf<
      '法人及非法人组织' | '个体工商户' | '自然人'
    >()
    expectTypeOf<PayloadBySchema['trace.object-event']['type']>().toEqualTypeOf<'ObjectEvent'>()
    expectTypeOf<RecordInput['payload']>().toBeUnknown()
  })

  it('know every schema that comes with the SDK', () => {
    const ids: readonly SchemaId[] = Object.values(SCHEMAS).map(({ id }) => id)
    expect(new Set(ids).size).toBe(Object.keys(SCHEMAS).length)
    expectTypeOf<string>().not.toExtend<SchemaId>()
  })

  it('have on a chain connection only what needs no gateway', () => {
    type OfChain = ChainConnection['records']
    type OfGateway = GatewayConnection['records']
    expectTypeOf<Exclude<keyof OfGateway, keyof OfChain>>().toEqualTypeOf<
      'anchorTable' | 'get' | 'payload' | 'evidence' | 'find' | 'erase' | 'hold' | 'release'
    >()
    expectTypeOf<Exclude<keyof OfChain, keyof OfGateway>>().toEqualTypeOf<'refresh'>()
    expectTypeOf<OfGateway['anchor']>().toEqualTypeOf<OfChain['anchor']>()
    expectTypeOf<OfGateway['anchorMany']>().toEqualTypeOf<OfChain['anchorMany']>()
  })

  it('say that refusals come with partial only', () => {
    type Records = GatewayConnection['records']
    const partial = (records: Records) => records.anchorMany([] as RecordInput[], { partial: true })
    const strict = (records: Records) => records.anchorMany([] as RecordInput[])
    expectTypeOf<ReturnType<typeof partial>>().toEqualTypeOf<AsyncGenerator<AnchoredRecord | RefusedRecord, void>>()
    expectTypeOf<ReturnType<typeof strict>>().toEqualTypeOf<AsyncGenerator<AnchoredRecord, void>>()
    expect([partial, strict]).toHaveLength(2)
  })

  it('tell the two connections apart by their options', () => {
    type Connect = typeof connect
    const through = (call: Connect) => call({ gateway: 'http://127.0.0.1:8645', apiKey: 'shk_' })
    const straight = (call: Connect) =>
      call({ rpc: 'http://127.0.0.1:8545', signer: { getAddress: () => Promise.resolve(''), signTransaction: () => Promise.resolve('') } })
    expectTypeOf<Awaited<ReturnType<typeof through>>>().toEqualTypeOf<GatewayConnection>()
    expectTypeOf<Awaited<ReturnType<typeof straight>>>().toEqualTypeOf<ChainConnection>()
    expect([through, straight]).toHaveLength(2)
  })
})
