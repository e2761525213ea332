import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { SignatureEntry } from '@songhua/node/signer/signature-journal'

export interface SignatureAudit {
  signatures: number
  roundChanges: number
  problems: string[]
}

/**
 * Everything that was signed, over all lives of all validators: one digest at most for one (validator, height, round,
 * kind), a quorum of Commits for each block of the chain, and no quorum for any other.
 */
export class SignatureLedger {
  readonly #quorum: number
  readonly #spoken = new Map<string, string | null>()
  /** Who committed, by height and digest. */
  readonly #commits = new Map<number, Map<string, Set<string>>>()
  readonly #problems: string[] = []
  #signatures = 0
  #roundChanges = 0

  constructor(quorum: number) {
    this.#quorum = quorum
  }

  add({ validator, height, round, kind, digest, sealRound }: SignatureEntry): void {
    this.#signatures += 1
    if (kind === 'roundChange') this.#roundChanges += 1
    const key = `${validator} height ${height} round ${round} ${kind}`
    const before = this.#spoken.get(key)
    if (before !== undefined && before !== digest) this.#problems.push(`EQUIVOCATION: ${key}: ${before} and ${digest}`)
    this.#spoken.set(key, digest)
    if (kind !== 'commit') return
    if (sealRound !== round) this.#problems.push(`the seal of ${key} is bound to round ${sealRound}`)
    const ofHeight = this.#commits.get(height) ?? new Map<string, Set<string>>()
    this.#commits.set(height, ofHeight.set(digest!, (ofHeight.get(digest!) ?? new Set()).add(validator)))
  }

  /** @param hashOf of the chain's block at a height, which is the digest that was committed; undefined above the head */
  close(top: number, hashOf: (height: number) => string | undefined): SignatureAudit {
    const problems = [...this.#problems]
    for (let height = 1; height <= top; height += 1) {
      const committed = this.#commits.get(height)?.get(hashOf(height)!)?.size ?? 0
      if (committed < this.#quorum) problems.push(`block ${height} has ${committed} signed Commits; a quorum is ${this.#quorum}`)
    }
    for (const [height, digests] of this.#commits) {
      for (const [digest, signers] of digests) {
        const isOfChain = height > top || digest === hashOf(height)
        if (!isOfChain && signers.size >= this.#quorum) problems.push(`FORK: ${signers.size} Commits at height ${height} for ${digest}, which is not the chain's`)
      }
    }
    return { signatures: this.#signatures, roundChanges: this.#roundChanges, problems }
  }
}

/** A line that SIGKILL or a full disk has cut was never sent, and is passed over; any other that is no entry throws. */
export async function readSignatures(path: string, ledger: SignatureLedger): Promise<void> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line === '' || !line.endsWith('}')) continue
    ledger.add(JSON.parse(line) as SignatureEntry)
  }
}
