import fc from 'fast-check'
import { concatBytes } from '@songhua/sdk/protocol/bytes'
import { type RlpItem, decodeRlp, encodeRlp } from '@songhua/sdk/protocol/rlp'

/** Bytes that make a difference: RLP's and LEB's borders, a sign, an end. */
const BORDER_BYTES = [0x00, 0x01, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xbb, 0xbf, 0xc0, 0xc1, 0xf7, 0xf8, 0xfb, 0xff]

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const anyByte = fc.oneof(fc.constantFrom(...BORDER_BYTES), fc.nat(255))

type Mutation = (input: Uint8Array) => Uint8Array

const at = (input: Uint8Array, place: number): number => (input.length === 0 ? 0 : place % input.length)

/** A bit or a byte changed, a piece cut out, put in, doubled or replaced by another, the end lost or lengthened. */
const mutation = fc.oneof<fc.Arbitrary<Mutation>[]>(
  fc.tuple(fc.nat(), fc.nat(7)).map(([place, bit]): Mutation => (input) =>
    input.map((byte, index) => (index === at(input, place) ? byte ^ (1 << bit) : byte))),
  fc.tuple(fc.nat(), anyByte).map(([place, value]): Mutation => (input) =>
    input.map((byte, index) => (index === at(input, place) ? value : byte))),
  fc.tuple(fc.nat(), fc.nat(64)).map(([place, length]): Mutation => (input) => {
    const from = at(input, place)
    return concatBytes(input.subarray(0, from), input.subarray(from + length))
  }),
  fc.tuple(fc.nat(), bytes(16)).map(([place, piece]): Mutation => (input) => {
    const from = at(input, place)
    return concatBytes(input.subarray(0, from), piece, input.subarray(from))
  }),
  fc.tuple(fc.nat(), fc.nat(64), fc.nat()).map(([place, length, target]): Mutation => (input) => {
    const from = at(input, place)
    const to = at(input, target)
    return concatBytes(input.subarray(0, to), input.subarray(from, from + length), input.subarray(to))
  }),
  fc.nat().map((place): Mutation => (input) => input.subarray(0, at(input, place))),
  bytes(64).map((tail): Mutation => (input) => concatBytes(input, tail)),
  // A length that promises far more than there is.
  fc.tuple(fc.nat(), fc.constantFrom(0xb8, 0xba, 0xbb, 0xbd, 0xbf, 0xf8, 0xfa, 0xfb, 0xfd, 0xff)).map(
    ([place, prefix]): Mutation => (input) => {
      const from = at(input, place)
      return concatBytes(input.subarray(0, from), Uint8Array.of(prefix, 0xff, 0xff, 0xff, 0xff), input.subarray(from))
    }),
)

/** Valid bytes after one to four mutations. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(valid, fc.array(mutation, { minLength: 1, maxLength: 4 })).map(([input, mutations]) =>
    mutations.reduce<Uint8Array>((changed, mutate) => mutate(changed), new Uint8Array(input)))
}

export const rlpItem: fc.Arbitrary<RlpItem> = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    bytes(70),
    fc.array(tie('item'), { maxLength: 6 }),
  ),
})).item

const FIELDS: RlpItem[] = [
  new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(0, 1), new Uint8Array(8).fill(255), new Uint8Array(9).fill(255),
  new Uint8Array(20), new Uint8Array(32).fill(255), new Uint8Array(33), new Uint8Array(65), new Uint8Array(256), [],
]

/** A field where one is expected: of the usual lengths, an integer with a leading zero, a list in place of bytes. */
const field: fc.Arbitrary<RlpItem> = fc.oneof(
  fc.constantFrom<RlpItem[]>(...FIELDS),
  rlpItem,
)

/** What becomes of an item: the items that stand in its place. */
type Edit = (item: RlpItem) => RlpItem[]

const edit: fc.Arbitrary<Edit> = fc.oneof(
  field.map((by): Edit => () => [by]),
  field.map((by): Edit => (item) => [by, item]),
  fc.constant<Edit>(() => []),
  fc.constant<Edit>((item) => [item, item]),
)

/** Follows `path` into the lists and edits the item at its end; the bytes stay canonical RLP, only their sense changes. */
function editItem(item: RlpItem, path: readonly number[], change: Edit): RlpItem {
  const [first, ...rest] = path
  if (item instanceof Uint8Array || first === undefined || item.length === 0) return item
  const index = first % item.length
  const edited = (child: RlpItem): RlpItem[] => (rest.length > 0 && Array.isArray(child) ? [editItem(child, rest, change)] : change(child))
  return item.flatMap((child, each): RlpItem[] => (each === index ? edited(child) : [child]))
}

/**
 * Valid RLP whose fields are replaced, removed, doubled or joined by others.
 * @param prefixBytes in front of the RLP, kept as they are
 */
export function rlpEdited(valid: fc.Arbitrary<Uint8Array>, prefixBytes: (input: Uint8Array) => number = () => 0): fc.Arbitrary<Uint8Array> {
  const edits = fc.array(fc.tuple(fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), edit), { minLength: 1, maxLength: 3 })
  return fc.tuple(valid, edits).map(([input, changes]) => {
    const count = prefixBytes(input)
    const item = changes.reduce((changed, [path, change]) => editItem(changed, path, change), decodeRlp(input.subarray(count)))
    return concatBytes(input.subarray(0, count), encodeRlp(item))
  })
}

/** Anything: short, long, and what looks like RLP. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  bytes(80),
  bytes(2_000),
  fc.array(anyByte, { maxLength: 60 }).map((all) => Uint8Array.from(all)),
  rlpItem.map(encodeRlp),
)
