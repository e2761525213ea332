import { mapInSlices } from '../base/slices.js'
import { idKey, naturalKey, uuidFromBytes } from './keys.js'
import type { Draft, Judgement } from './judge.js'
import type { Outcome, Refusal } from './model.js'
import type { GatewayStore } from './store.js'
import type { Tags } from './tags.js'

/**
 * Ids and natural keys that are being written: what is not in the table yet must not be taken twice either. Whoever
 * comes second waits until the first is on disk, for it is told the first one's id.
 */
export interface Reservations {
  /** @param checkRoom throws when there is no room for so many */
  reserve(judged: readonly Judgement[], checkRoom: (count: number) => void): Promise<Reservation>
  /** Records that are reserved now. */
  records(): number
}

export interface Reservation {
  readonly outcomes: readonly Outcome[]
  /** Of the outcomes that are ids, in order. */
  readonly drafts: readonly Draft[]
  /** To be called once the records are on disk, or will never be. */
  release(): void
}

interface Held {
  readonly released: Promise<void>
}

export function createReservations(store: Pick<GatewayStore, 'get'>, tags: Tags): Reservations {
  const held = new Map<string, Held>()
  let records = 0

  function firstHeld(named: readonly (Names | undefined)[]): Held | undefined {
    const text = named.flatMap((names) => names?.texts ?? []).find((name) => held.has(name))
    return text === undefined ? undefined : held.get(text)
  }

  function hold(texts: readonly string[], count: number): () => void {
    let resolve = (): void => undefined
    const entry = { released: new Promise<void>((done) => (resolve = done)) }
    for (const text of texts) held.set(text, entry)
    records += count
    return () => {
      for (const text of texts) held.delete(text)
      records -= count
      resolve()
    }
  }

  return {
    records: () => records,
    async reserve(judged, checkRoom) {
      const named = judged.map((judgement) => ('draft' in judgement ? namesOf(judgement.draft, tags) : undefined))
      for (let busy = firstHeld(named); busy !== undefined; busy = firstHeld(named)) await busy.released
      const count = named.filter((names) => names !== undefined).length
      checkRoom(count)
      const release = hold(
        named.flatMap((names) => names?.texts ?? []),
        count,
      )
      try {
        const outcomes = await decide(judged, named, store)
        const drafts = judged.flatMap((judgement, at) =>
          'draft' in judgement && 'id' in outcomes[at]! ? [judgement.draft] : [],
        )
        return { outcomes, drafts, release }
      } catch (error) {
        release()
        throw error
      }
    },
  }
}

interface Names {
  readonly id: string
  readonly natural: Uint8Array | undefined
  readonly texts: readonly string[]
}

function namesOf({ envelope, naturalKey: key }: Draft, tags: Tags): Names {
  const natural = key === undefined ? undefined : tags.natural(envelope.issuer, key)
  const texts = natural === undefined ? [envelope.id] : [envelope.id, textOf(natural)]
  return { id: envelope.id, natural, texts }
}

const textOf = (mac: Uint8Array): string => Buffer.from(mac).toString('base64')

/** In order: the first of two that are one is good, the second is refused with the first one's id. */
function decide(
  judged: readonly Judgement[],
  named: readonly (Names | undefined)[],
  store: Pick<GatewayStore, 'get'>,
): Promise<Outcome[]> {
  const ids = new Set<string>()
  const naturals = new Map<string, string>()
  return mapInSlices(judged, (judgement, at): Outcome => {
    if ('refusal' in judgement) return judgement
    const { id, natural } = named[at]!
    if (ids.has(id) || store.get(idKey(id)) !== undefined) return { refusal: existing('RECORD_EXISTS', id) }
    const stored = natural && store.get(naturalKey(natural))
    const twin = stored === undefined ? natural && naturals.get(textOf(natural)) : uuidFromBytes(stored)
    if (twin !== undefined) return { refusal: existing('RECORD_DUPLICATE', twin) }
    ids.add(id)
    if (natural !== undefined) naturals.set(textOf(natural), id)
    return { id }
  })
}

function existing(code: 'RECORD_EXISTS' | 'RECORD_DUPLICATE', existingId: string): Refusal {
  const message =
    code === 'RECORD_EXISTS'
      ? `there is a record ${existingId} already`
      : `the event was recorded already, as ${existingId}`
  return { code, message, existingId }
}
