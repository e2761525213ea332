import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { gatewayError } from '../errors.js'
import type { AnchoredRecord, RecordStatus, Shelf } from '../model.js'
import { addVary, prefersToJson } from './accept.js'
import { SHARED_ANSWER_TYPE, createSharedWriter, createWholeWriter } from './anchored-text.js'
import type { Call } from './route.js'
import type { Settlement } from './submission.js'

/** What was made of a submission. */
export interface Answering {
  readonly settled: Settlement
  readonly shelf: Pick<Shelf, 'get' | 'anchored'>
  /** The records may be further than accepted. */
  readonly mayBeFurther: boolean
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** On disk: where each record stands. */
export async function sendAccepted({ reply }: Call, answering: Answering): Promise<Readable | object> {
  const { settled, shelf, mayBeFurther } = answering
  void reply.code(202).type(JSON_TYPE)
  const view = async (id: string): Promise<{ id: string; status: RecordStatus }> => ({
    id,
    status: mayBeFurther ? ((await shelf.get(id))?.status ?? 'accepted') : 'accepted',
  })
  const { replayed } = settled
  if (!settled.isMany) return { ...(await view(idsOf(settled)[0]!)), replayed }
  addVary(reply, 'accept-language')
  return toStream(answering, { text: async (id) => JSON.stringify(await view(id)), tail: () => `"replayed":${replayed}` })
}

/** All anchored: each record with its evidence; what bundles share but once, when the caller asks for that form. */
export async function sendAnchored({ reply, request }: Call, answering: Answering): Promise<Readable | string> {
  const { settled, shelf } = answering
  const records = await findAnchored(idsOf(settled), shelf)
  const replayed = `"replayed":${settled.replayed}`
  void reply.code(201).type(JSON_TYPE)
  if (!settled.isMany) return `${createWholeWriter()(records.values().next().value!).slice(0, -1)},${replayed}}`
  addVary(reply, 'accept')
  addVary(reply, 'accept-language')
  const isShared = prefersToJson(request.headers.accept, SHARED_ANSWER_TYPE)
  if (!isShared) {
    const write = createWholeWriter()
    return toStream(answering, { text: (id) => write(records.get(id)!), tail: () => replayed })
  }
  void reply.type(`${SHARED_ANSWER_TYPE}; charset=utf-8`)
  const shared = createSharedWriter(records.values())
  const tail = (): string => `"batches":${shared.batches()},${replayed}`
  return toStream(answering, { text: (id) => shared.record(records.get(id)!), tail })
}

export const idsOf = ({ outcomes }: Settlement): string[] => outcomes.flatMap((one) => ('id' in one ? [one.id] : []))

/** Records looked up before others get their turn: some 5 ms. */
const LOOKUPS_PER_TURN = 500

async function findAnchored(ids: readonly string[], shelf: Pick<Shelf, 'anchored'>): Promise<Map<string, AnchoredRecord>> {
  const found = new Map<string, AnchoredRecord>()
  for (const [at, id] of ids.entries()) {
    if (at % LOOKUPS_PER_TURN === LOOKUPS_PER_TURN - 1) await nextTurn()
    const record = await shelf.anchored(id)
    if (record === undefined) throw gatewayError('RECORD_UNKNOWN', { id })
    found.set(id, record)
  }
  return found
}

// ------------------------------------------------------------------------------------------------------- streams

interface Texts {
  readonly text: (id: string) => string | Promise<string>
  /** After the records. */
  readonly tail: () => string
}

/** Characters of one piece; of anchored records, it takes some 1 ms to write. */
const PIECE_CHARACTERS = 64 * 1024

const toStream = (answering: Answering, texts: Texts): Readable =>
  Readable.from(toPieces(answering, texts), { objectMode: false })

/** Made as fast as the caller reads: ten thousand bundles are never in memory at one time, nor made in one turn. */
async function* toPieces({ settled }: Answering, { text, tail }: Texts): AsyncGenerator<string> {
  let piece = '{"records":['
  for (const [at, outcome] of settled.outcomes.entries()) {
    const one = 'id' in outcome ? await text(outcome.id) : outcome.refusal
    piece += at === 0 ? one : `,${one}`
    if (piece.length < PIECE_CHARACTERS) continue
    yield piece
    piece = ''
    await nextTurn()
  }
  yield `${piece}],${tail()}}`
}
