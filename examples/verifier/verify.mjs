// Verifies songhua.evidence/1 without Songhua's code: node verify.mjs EVIDENCE TRUST_ANCHOR [PAYLOAD SALT]
import { ok as must } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
const CONTRACT = '0000000000000000000000000000000000230001'
const FAMILIES = [undefined, 'government', 'trace', 'credit']
const hexOf = (bytes) => bytes.toString('hex')
const number = (bytes) => Number(`0x0${hexOf(Buffer.from(bytes))}`)
const keccak = (bytes) => Buffer.from(keccak_256(bytes))
const EVENT = keccak('RecordsAnchored(address,bytes32,bytes32,uint64,uint8)')
const digest = (algorithm, ...parts) => createHash(algorithm).update(Buffer.concat(parts)).digest()
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const is = (isGood) => (value) => (must(isGood(value)), value)
/** Whatever goes wrong in `run`, a value of the wrong type included, is a refusal at this step. */
function step(name, run) {
  try { return run() } catch (cause) { throw Object.assign(new Error(`refused at ${name}`, { cause }), { step: name }) }
}
function readJson(source) {
  must(source.length <= 4 * 1024 * 1024)
  let [values, keys, depth] = [32 * 1024, 0, 0] // the whole counts as a key
  const json = JSON.parse(source, function (key, value) {
    values -= Array.isArray(this) ? 2 : 1
    keys += Array.isArray(this) ? 0 : 1
    must(values >= 0 && key.isWellFormed() && value !== Infinity && value !== -Infinity)
    return is((one) => typeof one !== 'string' || one.isWellFormed())(value)
  })
  const bare = source.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '') // without strings
  for (const bracket of bare.match(/[[\]{}]/g) ?? []) must((depth += '[{'.includes(bracket) ? 1 : -1) <= 32)
  return is(() => keys === bare.split(':').length)(json) // else a key stood twice, and fewer were kept
}
function canonical(value) {
  must(typeof value !== 'number') // libraries write some of them differently
  if (!isObject(value)) return Array.isArray(value) ? `[${value.map(canonical).join()}]` : JSON.stringify(value)
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`
}
const atLeast = (min) => is((value) => Number.isSafeInteger(value) && value >= min)
const text = is((value) => typeof value === 'string' && value.length <= 65536)
const bytes = (max, min = 0) => (value) => {
  const size = typeof value === 'string' && /^0x[0-9a-fA-F]*$/.test(value) ? value.length / 2 - 1 : NaN
  must(Number.isInteger(size) && size >= min && size <= max)
  return Buffer.from(value.slice(2), 'hex')
}
const [count, positive, hash, header, path] = [atLeast(0), atLeast(1), bytes(32, 32), bytes(8192), [64, bytes(32, 32)]]
const BUNDLE = {
  version: is((name) => name === 'songhua.evidence/1'), chain: { chainId: positive, genesisHash: hash },
  envelope: is(isObject), inclusion: { treeSize: count, leafIndex: count, path }, validatorHistory: [1024, header],
  anchor: { blockNumber: positive, transactionIndex: count, logIndex: count, receiptProof: [20, bytes(1024 * 1024)] },
  header, 'checkpointPath?': { header, path }, 'timestampTokens?': [8, text], 'status?': is(isObject),
}
const TRUST_ANCHOR = {
  version: is((value) => value === 'songhua.trust-anchor/1'), chainId: positive, genesisHeader: header,
  checkpoints: [1024, { height: positive, hash, validators: [64, (value) => hexOf(bytes(20, 20)(value))] }],
}
function read(value, form) {
  if (typeof form === 'function') return form(value)
  must(Array.isArray(form) ? Array.isArray(value) && value.length <= form[0] : isObject(value))
  if (Array.isArray(form)) return value.map((item) => read(item, form[1]))
  const forms = new Map(Object.entries(form).map(([key, inner]) => [key.replace('?', ''), inner]))
  must(Object.keys(form).every((key) => key.endsWith('?') || Object.hasOwn(value, key)))
  return Object.fromEntries(Object.keys(value).map((key) => [key, read(value[key], forms.get(key))]))
}
const isSet = (set) => set.length > 0 && set.every((one, at) => one > (set[at - 1] ?? '0'.repeat(40)))
function readTrustAnchor(source) {
  const { chainId, genesisHeader, checkpoints } = read(readJson(source), TRUST_ANCHOR)
  const points = [readHeader(genesisHeader, true), ...checkpoints]
  must(points.every(({ height, validators }, at) => isSet(validators) && height > (points[at - 1]?.height ?? -1)))
  return { chainId, genesisHash: points[0].hash, points }
}
function readRlp(data, at, limit) {
  const [isSelf, isList] = [data[at] < 0x80, data[at] >= 0xc0]
  const short = isSelf ? 1 : data[at] - (isList ? 0xc0 : 0x80)
  const start = at + (isSelf ? 0 : 1) + Math.max(0, short - 55)
  const end = start + (short > 55 ? number(data.subarray(at + 1, start)) : short)
  must(end <= limit)
  const items = []
  for (let next = start, item; isList && next < end; items.push(item)) [item, next] = readRlp(data, next, end)
  return [isList ? items : data.subarray(start, end), end]
}
const integerBytes = (value) => Buffer.from(value === 0 ? '' : value.toString(16).replace(/^.(..)*$/, '0$&'), 'hex')
function encodeRlp(item) {
  const body = Array.isArray(item) ? Buffer.concat(item.map(encodeRlp)) : item
  if (body === item && body.length === 1 && body[0] < 0x80) return body
  const [base, size] = [body === item ? 0x80 : 0xc0, integerBytes(body.length < 56 ? 0 : body.length)]
  return Buffer.concat([Buffer.of(base + (size.length === 0 ? body.length : 55 + size.length)), size, body])
}
const decodeRlp = (data) => is((item) => encodeRlp(item).equals(data))(readRlp(data, 0, data.length)[0]) // canonical
const isBytes = (item, size = item.length) => Buffer.isBuffer(item) && item.length === size
const isList = (item, size, max) => Array.isArray(item) && item.length <= max && item.every((one) => isBytes(one, size))
const isInteger = (item, max) => isBytes(item) && item.length <= max && item[0] !== 0
const FIELDS = [32, 32, 20, 32, 32, 32, 256, -32, -7, -8, -8, -7, undefined, 32, 8, -32, 32, -8, -8, 32]
function readHeader(encoded, isGenesis = false) {
  const fields = decodeRlp(encoded)
  const isField = (item, at) => (FIELDS[at] < 0 ? isInteger(item, -FIELDS[at]) : isBytes(item, FIELDS[at]))
  must(fields.length === 20 && fields.every(isField) && fields[12].length <= 6144)
  const [vanity, validators, vote, round, seals, ...more] = decodeRlp(fields[12])
  must(isBytes(vanity, 32) && isList(vote, 0, 0) && isInteger(round, 4) && more.length === 0)
  const [height, timestamp, timeMs] = [fields[8], fields[11], isGenesis ? [] : vanity.subarray(24)].map(number)
  must(isList(validators, 20, 64) && isList(seals, 65, 64) && (height === 0) === isGenesis)
  must([height, timestamp, timeMs].every(Number.isSafeInteger))
  const hashIn = (inRound) => keccak(encodeRlp(fields.with(12, encodeRlp([vanity, validators, [], inRound, []]))))
  const [hash, chain] = [isGenesis ? keccak(encoded) : hashIn(Buffer.alloc(0)), hexOf(vanity.subarray(0, 24))]
  const read = { height, timeMs, hash, chain, seals, sealDigest: hashIn(round), validators: validators.map(hexOf) }
  return { ...read, receiptsRoot: fields[5], historyRoot: fields[19] }
}
function signerOf(message, signature) {
  const read = secp256k1.Signature.fromCompact(signature.subarray(0, 64)).addRecoveryBit(signature[64]) // r, s in range
  must(signature[64] <= 1 && !read.hasHighS())
  return hexOf(keccak(read.recoverPublicKey(message).toRawBytes(false).subarray(1)).subarray(12))
}
function checkSeals({ seals, sealDigest }, set) {
  must(seals.length <= set.length && 3 * seals.length >= 2 * set.length)
  const signers = new Set(seals.map((seal) => signerOf(sealDigest, seal)))
  must(signers.size === seals.length && [...signers].every((signer) => set.includes(signer)))
}
/** The set that seals block `end`: each change since the newest checkpoint is sealed by the set before it. */
function followSets(changes, chain, points, end) {
  changes.forEach(({ height }, at) => must(height > (changes[at - 1]?.height ?? 0) && height < end))
  return changes.filter(({ height }) => height > points.at(-1).height).reduce((set, change) => {
    must(isOf(chain, change) && isSet(change.validators) && change.validators.join() !== set.join())
    checkSeals(change, set)
    return change.validators
  }, points.at(-1).validators)
}
const isOf = ({ genesisHash }, { chain }) => chain === hexOf(genesisHash.subarray(0, 24))
function rootOf(leaf, index, size, path) {
  let [node, used] = [digest('sha256', Buffer.of(0), leaf), 0]
  for (let at = index, last = size - 1; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
    if (at % 2 === 0 && at === last) continue // no sibling at this level
    node = digest('sha256', Buffer.of(1), ...(at % 2 === 1 ? [path[used++], node] : [node, path[used++]]))
  }
  return is(() => index < size && used === path.length)(node)
}
function trieValue(root, key, proof) {
  let [next, rest, used] = [root, hexOf(key), 0]
  for (let isLeaf = false; !isLeaf; ) {
    const node = Buffer.isBuffer(next) ? decodeRlp(is((it) => keccak(it).equals(next))(proof[used++])) : next
    const [flags, isBranch] = [node[0][0] >> 4, node.length === 17]
    const part = isBranch ? rest[0] : hexOf(node[0]).slice(flags % 2 === 1 ? 1 : 2)
    must(rest.startsWith(part))
    isLeaf = !isBranch && flags >= 2
    ;[next, rest] = [node[isBranch ? parseInt(part, 16) : 1], rest.slice(part.length)]
  }
  return is(() => rest === '' && used === proof.length)(next)
}
function readBatch({ transactionIndex, logIndex, receiptProof }, receiptsRoot, anchored) {
  const value = trieValue(receiptsRoot, encodeRlp(integerBytes(transactionIndex)), receiptProof)
  const [status, , , logs, ...more] = decodeRlp(value.subarray(value[0] === 1 || value[0] === 2 ? 1 : 0))
  const [address, [event, sender, , root, ...topics], data] = logs[logIndex]
  must(number(status) === 1 && hexOf(address) === CONTRACT && event.equals(EVENT))
  must(isBytes(root, 32) && isBytes(data, 64) && number(sender.subarray(0, 12)) + topics.length + more.length === 0)
  must([number(data.subarray(0, 32)), FAMILIES[number(data.subarray(32))]].join() === anchored)
  return { root, sender: `0x${hexOf(sender.subarray(12))}` }
}
function readLeaf(envelope) {
  const { id, issuer, schema, family, payloadDigests, proof } = envelope
  must([id, issuer, schema.id, schema.version].every((name) => text(name) !== '' && name.length <= 512))
  must(FAMILIES.indexOf(family) > 0 && Array.isArray(proof))
  must([payloadDigests.sha256, payloadDigests.sm3].every((digits) => /^[0-9a-f]{64}$/.test(text(digits))))
  return is((leaf) => leaf.length <= 4096)(Buffer.from(canonical(envelope)))
}
function issuerStanding(envelope, sender, { signers = [], accounts = [] } = {}) {
  const own = envelope.proof.filter(({ algorithm }) => text(algorithm) === 'secp256k1-keccak256')
  must(envelope.proof.length <= 8 && own.every(({ value }) => /^[0-9a-fA-F]{130}$/.test(text(value))))
  if (own.length === 0 || signers.length === 0) return accounts.includes(sender) ? 'organisation' : 'unproven'
  const hash = keccak(Buffer.from(canonical({ ...envelope, proof: [] })))
  return is(() => own.every((one) => signers.includes(`0x${signerOf(hash, Buffer.from(one.value, 'hex'))}`)))('signed')
}
/** @returns what is proved; throws an Error whose `step` names the step that refused */
export function verify(source, trustAnchor, { payload, salt, issuers } = {}) {
  const { chainId, genesisHash, points } = step('format', () => readTrustAnchor(trustAnchor))
  const { envelope, inclusion, anchor, chain, ...bundle } = step('format', () => read(readJson(source), BUNDLE))
  const leaf = step('leaf', () => readLeaf(envelope))
  const isPayload = (algorithm) => hexOf(digest(algorithm, salt, payload)) === envelope.payloadDigests[algorithm]
  step('payload', () => must((payload ?? salt) === undefined || (salt.length === 32 && ['sha256', 'sm3'].every(isPayload))))
  const own = step('header', () => is(({ height }) => height === anchor.blockNumber)(readHeader(bundle.header)))
  const { leafIndex: index, treeSize: size, path } = inclusion
  const batch = step('receipt', () => readBatch(anchor, own.receiptsRoot, `${size},${envelope.family}`))
  step('inclusion', () => must(rootOf(leaf, index, size, path).equals(batch.root)))
  step('chain', () => must(chain.chainId === chainId && chain.genesisHash.equals(genesisHash) && isOf(chain, own)))
  const later = bundle.checkpointPath
  const vouching = step('validators', () => readHeader(later?.header ?? bundle.header))
  const point = points.find(({ height }) => height === vouching.height)
  const set = step('validators', () => {
    must(isOf(chain, vouching) && (point || own.height > points.at(-1).height))
    if (!point) return followSets(bundle.validatorHistory.map((one) => readHeader(one)), chain, points, vouching.height)
    must(vouching.hash.equals(point.hash) && vouching.validators.join() === point.validators.join())
  })
  step('seals', () => set && checkSeals(vouching, set))
  const isOld = () => rootOf(own.hash, own.height, vouching.height, later.path).equals(vouching.historyRoot)
  step('seals', () => must(!later || isOld()))
  const issuer = step('issuer', () => issuerStanding(envelope, batch.sender, issuers?.[envelope.issuer]))
  return { record: envelope.id, issuer, block: own.height, time: new Date(own.timeMs).toISOString() }
}
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [evidence, anchor, payload, salt] = process.argv.slice(2).map((file) => readFileSync(file))
  console.log(verify(String(evidence), String(anchor), payload && { payload, salt: Buffer.from(String(salt), 'hex') }))
}
