import type { DeliberateFault } from './mutant.js'

const ACCEPT = 'node/src/consensus/accept.ts'
const CRYPTO = 'sdk/src/protocol/crypto.ts'
const DECIDE = 'node/src/consensus/decide.ts'
const ENTRY = 'node/src/consensus/round-entry.ts'
const JUSTIFICATION = 'node/src/consensus/justification.ts'
const OPEN = 'node/src/consensus/open-message.ts'
const PACE = 'node/src/consensus/pace.ts'
const QUORUM = 'node/src/consensus/quorum.ts'
const RECEIVE = 'node/src/consensus/receive.ts'
const SEALS = 'sdk/src/protocol/seals.ts'
const SIGNING = 'node/src/consensus/signing.ts'
const STEP = 'node/src/consensus/step.ts'
const CHAIN = 'node/src/services/chain.ts'

/** What must hold so that no two blocks are ever decided at one height. */
export const AGREEMENT_MUTANTS: readonly DeliberateFault[] = [
  {
    name: 'certificate-forgotten-on-jump',
    breaks: 'A validator taken to a later round by its proposal forgets what it had prepared (Besu, own reading).',
    edits: [
      {
        file: ENTRY,
        find: 'draft: undefined,\n    own: new Map(),',
        replace: 'draft: undefined,\n    own: new Map(),\n    certificate: announce ? state.certificate : undefined,',
      },
    ],
  },
  {
    name: 'certificate-forgotten-on-round-change',
    breaks: 'The prepared certificate does not survive its round.',
    edits: [
      {
        file: ENTRY,
        find: 'draft: undefined,\n    own: new Map(),',
        replace: 'draft: undefined,\n    own: new Map(),\n    certificate: undefined,',
      },
    ],
  },
  {
    name: 'commit-before-prepared',
    breaks: 'A Commit is signed on one Prepare, before a quorum of them is there.',
    edits: [
      {
        file: DECIDE,
        find: 'if (matching.length < quorumOf(turn.state)) return',
        replace: 'if (matching.length < 1) return',
      },
    ],
  },
  {
    name: 'quorum-less-one',
    breaks: 'A quorum is one signer smaller, for votes, justifications and seals alike.',
    edits: [
      {
        file: 'sdk/src/protocol/validator-set.ts',
        find: 'return Math.ceil((2 * count) / 3)',
        replace: 'return Math.max(1, Math.ceil((2 * count) / 3) - 1)',
      },
    ],
  },
  {
    name: 'quorum-of-prepares-less-one',
    breaks: 'One Prepare fewer makes a certificate, for who forms it and for who checks it.',
    edits: [
      {
        file: DECIDE,
        find: 'if (matching.length < quorumOf(turn.state)) return',
        replace: 'if (matching.length < quorumOf(turn.state) - 1) return',
      },
      {
        file: QUORUM,
        find: "checkQuorumCount(signatures.length, electorate, 'prepares')",
        replace: `const isOneShort = signatures.length === quorumSize(electorate.validators.length) - 1
  if (!isOneShort) checkQuorumCount(signatures.length, electorate, 'prepares')`,
      },
    ],
  },
  {
    name: 'quorum-of-round-changes-less-one',
    breaks: 'One round change fewer justifies a proposal, for its leader and for who checks it.',
    edits: [
      {
        file: PACE,
        find: 'if (changes.length < quorumOf(state)) return',
        replace: 'if (changes.length < quorumOf(state) - 1) return',
      },
      {
        file: OPEN,
        find: "checkQuorumCount(bare.length, reader, 'round changes')",
        replace: `const isOneShort = bare.length === Math.ceil((2 * reader.validators.length) / 3) - 1
  if (!isOneShort) checkQuorumCount(bare.length, reader, 'round changes')`,
      },
    ],
  },
  {
    name: 'quorum-of-seals-less-one',
    breaks: 'One seal fewer decides a block, for who decides it and for who imports it.',
    edits: [
      {
        file: DECIDE,
        find: 'if (seals.length < quorumOf(turn.state)) return',
        replace: 'if (seals.length < quorumOf(turn.state) - 1) return',
      },
      {
        file: SEALS,
        find: 'const needed = quorumSize(validators.length)',
        replace: 'const needed = quorumSize(validators.length) - 1',
      },
    ],
  },
  {
    name: 'messages-counted-not-signers',
    breaks: 'In certificates and justifications the same signer may stand twice.',
    edits: [{ file: QUORUM, find: 'if (seen.has(author)) {', replace: 'if (false) {' }],
  },
  {
    name: 'votes-counted-by-message',
    breaks: 'Each repeat of a Prepare counts as one more.',
    edits: [
      {
        file: RECEIVE,
        find: 'prepares: withEntry(state.prepares, author, prepare)',
        replace: 'prepares: withEntry(state.prepares, `${author} ${state.prepares.size}`, prepare)',
      },
    ],
  },
  {
    name: 'seals-counted-not-sealers',
    breaks: 'A block counts as sealed when one validator’s seal stands there several times.',
    edits: [
      { file: SEALS, find: "if (seen.has(signer)) fail('SEAL_DUPLICATE_SIGNER', `${what} twice`, at)", replace: '' },
    ],
  },
  {
    name: 'high-s-twins',
    breaks:
      'The high-s form of a signature is taken too, and in certificates and justifications signatures are told ' +
      'apart, not signers. (Where signers are counted a twin is a repeat and harmless: both together are the fault.)',
    edits: [
      { file: CRYPTO, find: 'if (compareBytes(s, HALF_ORDER) > 0) fail(', replace: 'if (false) fail(' },
      {
        file: QUORUM,
        find: "checkDistinctValidators(votes.map(({ author }) => author), electorate, 'prepares')",
        replace: 'checkDistinctSignatures(votes, electorate)',
      },
      {
        file: OPEN,
        find: "checkDistinctValidators(claims.map(({ author }) => author), reader, 'round changes')",
        replace: 'checkDistinctSignatures(claims, reader)',
      },
      { file: OPEN, find: 'import { checkDistinctValidators,', replace: 'import { checkDistinctSignatures,' },
      {
        file: QUORUM,
        find: '/** A quorum of Prepares for one block',
        replace: `export function checkDistinctSignatures(votes: readonly SignedVote[], electorate: Electorate): void {
  for (const { author } of votes) checkValidator(author, electorate, 'votes')
  if (new Set(votes.map(({ signature }) => String(signature))).size === votes.length) return
  throw consensusError('CONSENSUS_DUPLICATE_SIGNER', 'one signature twice')
}

/** A quorum of Prepares for one block`,
      },
    ],
  },
  {
    name: 'prepares-of-mixed-rounds',
    breaks: 'A certificate may be made of Prepares of several rounds.',
    edits: [
      {
        file: QUORUM,
        find: `    author: recoverAuthor(electorate.domain, statement, signature),
    signature,
  }))`,
        replace: `    author: Array.from({ length: Math.min(pair.round, 50) + 1 }, (_, back) =>
      recoverAuthor(electorate.domain, { ...statement, round: pair.round - back }, signature),
    ).find((author, _at, all) => electorate.validators.includes(author) || author === all.at(-1))!,
    signature,
  }))`,
      },
    ],
  },
  {
    name: 'signature-not-bound-to-round',
    breaks: 'What a validator signs does not name the round.',
    edits: [{ file: SIGNING, find: '      numberToBytes(statement.round),\n', replace: '' }],
  },
  {
    name: 'claim-not-signed',
    breaks: 'What a round change claims to have prepared is not signed, so that a leader can leave it out.',
    edits: [{ file: SIGNING, find: 'return [preparedToRlp(statement.prepared)]', replace: 'return []' }],
  },
  {
    name: 'seal-not-bound-to-round',
    breaks: 'A seal does not name its round, so that seals of several rounds add up.',
    edits: [
      {
        file: 'sdk/src/protocol/block-hash.ts',
        find: 'return keccak256(encodeHeader(headerWithSeals(header, [])))',
        replace: 'return keccak256(encodeHeader(headerWithRound(header, 0)))',
      },
    ],
  },
  {
    name: 'seal-not-checked',
    breaks: 'A Commit counts whatever its seal is.',
    edits: [{ file: ACCEPT, find: 'if (sealer.address === author) return true', replace: 'return true' }],
  },
  {
    name: 'sealed-block-not-checked',
    breaks: 'A block that a peer sends is imported before anybody has looked at its seals.',
    edits: [{ file: CHAIN, find: '    verifySeals(header, this.#head.validators)\n', replace: '' }],
  },
  {
    name: 'sealed-body-not-checked',
    breaks: 'A sealed block is imported with whatever body it came with.',
    edits: [
      { file: CHAIN, find: 'if (started?.transactions !== block.transactions) checkTransactionsRoot(block)', replace: '' },
    ],
  },
  {
    name: 'certificate-of-lowest-round',
    breaks: 'Of several preparations the oldest is proposed again, not the newest.',
    edits: [
      {
        file: JUSTIFICATION,
        find: 'prepared.round > (highest?.round ?? -1)',
        replace: 'prepared.round < (highest?.round ?? Infinity)',
      },
      {
        file: JUSTIFICATION,
        find: 'candidate.round > (prepared?.round ?? -1)',
        replace: 'candidate.round < (prepared?.round ?? Infinity)',
      },
    ],
  },
  {
    name: 'justification-ignored',
    breaks: 'A leader may propose a fresh block although its own round changes name a prepared one.',
    edits: [
      {
        file: JUSTIFICATION,
        find: 'if (prepared === undefined || prepared.digest === digest) return',
        replace: 'return',
      },
    ],
  },
  {
    name: 'certificate-not-verified',
    breaks: 'The Prepares of a certificate are taken as they come: any number, from anybody.',
    edits: [
      { file: QUORUM, find: "  checkQuorumCount(signatures.length, electorate, 'prepares')\n", replace: '' },
      {
        file: QUORUM,
        find: "  checkDistinctValidators(votes.map(({ author }) => author), electorate, 'prepares')\n",
        replace: '',
      },
    ],
  },
  {
    name: 'invalid-block-prepared',
    breaks: 'A validator prepares a block that fails its check.',
    edits: [
      {
        file: STEP,
        find: '  if (error !== undefined) {\n    update(turn, { candidate: undefined })',
        replace: '  if (false) {\n    update(turn, { candidate: undefined })',
      },
    ],
  },
  {
    name: 'proposal-from-anybody',
    breaks: 'Whoever is a validator may propose, whosever turn it is.',
    edits: [
      {
        file: 'node/src/consensus/envelope.ts',
        find: "if (kind === 'proposal' && author !== proposerOf(reader.proposers, round)) {",
        replace: 'if (false) {',
      },
    ],
  },
  {
    name: 'clock-not-checked',
    breaks: 'A fresh block may lie any time ahead of the clock.',
    edits: [{ file: RECEIVE, find: 'if (timeMs > nowMs + CLOCK_SKEW_MS) {', replace: 'if (false) {' }],
  },
]
