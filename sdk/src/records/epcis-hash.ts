import { bytesToHex, utf8ToBytes } from '../protocol/bytes.js'
import { sha256 } from '../protocol/crypto.js'
import { toCanonicalDigitalLink } from './gs1-link.js'
import { entryOf } from './json-value.js'

/**
 * The event hash id of CBV 2.0 §8.9.2, `ni:///sha-256;…?ver=CBV2.0`: the same for one event however it was written
 * down, so it is its natural key. Where the text of the algorithm and its published vectors disagree, the vectors win:
 * `type` stands before the value of a business transaction, source or destination, and those three lists stand among
 * the extensions, in lexical order.
 */

type JsonObject = Readonly<Record<string, unknown>>

export interface EpcisHashOptions {
  /** The `@context` of the document that the event stands in; the event's own goes before it. */
  context?: unknown
  /** Names of fields left out, as the event writes them. */
  ignoreFields?: readonly string[]
}

interface Property {
  key: string
  /** The entries of a list are named so, and sorted. */
  entry?: string
  /** Fields in the order in which they count; without it the property is a plain value. */
  fields?: readonly Property[]
  /** A bare word is one of this vocabulary. */
  vocabulary?: string
  time?: true
}

const CBV = 'https://ref.gs1.org/cbv/'
const GS1_VOCABULARY = 'https://gs1.org/voc/'

const values = (...keys: string[]): Property[] => keys.map((key) => ({ key }))
const times = (...keys: string[]): Property[] => keys.map((key) => ({ key, time: true }))

const QUANTITY_FIELDS = values('epcClass', 'quantity', 'uom')
const epcs = (key: string): Property => ({ key, entry: 'epc' })
const quantities = (key: string): Property => ({ key, entry: 'quantityElement', fields: QUANTITY_FIELDS })

const SENSOR_FIELDS: Property[] = [
  {
    key: 'sensorMetadata',
    fields: [
      ...times('time', 'startTime', 'endTime'),
      ...values('deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod', 'bizRules'),
    ],
  },
  {
    key: 'sensorReport',
    fields: [
      { key: 'type', vocabulary: GS1_VOCABULARY },
      { key: 'exception', vocabulary: GS1_VOCABULARY },
      ...values('deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod'),
      ...times('time'),
      ...values('microorganism', 'chemicalSubstance', 'value'),
      { key: 'component', vocabulary: `${CBV}Comp-` },
      ...values('stringValue', 'booleanValue', 'hexBinaryValue', 'uriValue', 'minValue', 'maxValue', 'meanValue'),
      ...values('sDev', 'percRank', 'percValue', 'uom', 'coordinateReferenceSystem'),
    ],
  },
]

const DISPOSITION = `${CBV}Disp-`

const EVENT_FIELDS: Property[] = [
  ...times('eventTime'),
  ...values('eventTimeZoneOffset', 'certificationInfo', 'parentID'),
  epcs('epcList'),
  epcs('inputEPCList'),
  epcs('childEPCs'),
  quantities('quantityList'),
  quantities('childQuantityList'),
  quantities('inputQuantityList'),
  epcs('outputEPCList'),
  quantities('outputQuantityList'),
  ...values('action', 'transformationID'),
  { key: 'bizStep', vocabulary: `${CBV}BizStep-` },
  { key: 'disposition', vocabulary: DISPOSITION },
  {
    key: 'persistentDisposition',
    fields: [
      { key: 'set', vocabulary: DISPOSITION },
      { key: 'unset', vocabulary: DISPOSITION },
    ],
  },
  { key: 'readPoint', fields: values('id') },
  { key: 'bizLocation', fields: values('id') },
  { key: 'sensorElementList', entry: 'sensorElement', fields: SENSOR_FIELDS },
]

/** Lists whose entries have no name of their own; they stand among the extensions. */
const PARTY_LISTS: Record<string, readonly Property[]> = {
  bizTransactionList: [{ key: 'type', vocabulary: `${CBV}BTT-` }, { key: 'bizTransaction' }],
  sourceList: [{ key: 'type', vocabulary: `${CBV}SDT-` }, { key: 'source' }],
  destinationList: [{ key: 'type', vocabulary: `${CBV}SDT-` }, { key: 'destination' }],
}

/** What says something of the record, not of the event. */
const NOT_HASHED = ['@context', 'type', 'isA', 'eventID', 'recordTime', 'errorDeclaration', 'rdfs:comment']

const CBV_URN = 'urn:epcglobal:cbv:'
const CBV_URNS: readonly (readonly [urn: string, uri: string])[] = [
  ['urn:epcglobal:cbv:bizstep:', `${CBV}BizStep-`],
  ['urn:epcglobal:cbv:disp:', DISPOSITION],
  ['urn:epcglobal:cbv:btt:', `${CBV}BTT-`],
  ['urn:epcglobal:cbv:sdt:', `${CBV}SDT-`],
  ['urn:epcglobal:cbv:er:', `${CBV}ER-`],
]

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

// ------------------------------------------------------------------------------------------------------- values

type Namespaces = ReadonlyMap<string, string>

const USUAL_NAMESPACES: Namespaces =
  new Map([['gs1', GS1_VOCABULARY], ['cbv', CBV], ['cbvmda', 'urn:epcglobal:cbv:mda']])

function namespacesOf(...contexts: unknown[]): Namespaces {
  if (contexts.every((context) => context === undefined)) return USUAL_NAMESPACES
  const namespaces = new Map(USUAL_NAMESPACES)
  for (const part of contexts.flatMap(asList)) {
    if (!isObject(part)) continue
    for (const [prefix, uri] of Object.entries(part)) if (typeof uri === 'string') namespaces.set(prefix, uri)
  }
  return namespaces
}

/** RFC 3339 to UTC with three decimals, the fourth rounded half up. */
function canonicalTime(text: string): string {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/i.exec(text)
  if (!match) return text
  const fraction = (match[2] ?? '').padEnd(4, '0')
  const wholeMs = Date.parse(`${match[1]}${match[3]!.toUpperCase()}`)
  if (Number.isNaN(wholeMs)) return text
  return new Date(wholeMs + Number(fraction.slice(0, 3)) + (fraction[3]! >= '5' ? 1 : 0)).toISOString()
}

/** Without sign, leading and trailing zeros; as the reference writes very small numbers: 1e-07. */
function canonicalNumber(text: string): string {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return text
  const number = Number(text)
  if (!Number.isFinite(number)) return text
  if (Number.isInteger(number)) return BigInt(number).toString()
  if (Math.abs(number) >= 1e-4) return String(number)
  return number.toExponential().replace(/e-(\d)$/, 'e-0$1')
}

const PREFIX = /^[A-Za-z0-9_-]+$/
const GS1_NAMESPACE = /^https:\/\/(ref\.)?gs1\.org\//

/** The URI for the URN of a word of the vocabulary. */
function canonicalWord(text: string): string {
  const known = text.startsWith(CBV_URN) ? CBV_URNS.find(([urn]) => text.startsWith(urn)) : undefined
  return known === undefined ? text : known[1] + text.slice(known[0].length)
}

/** As `String`, but no property of the value is called: a parsed `{"toString":1}` has one that is no function. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => (one === null || one === undefined ? '' : textOf(one))).join()
  return typeof value === 'object' && value !== null ? '[object Object]' : String(value)
}

function canonicalValue(value: unknown, property: Property, namespaces: Namespaces): string {
  const text = textOf(value).trim()
  if (property.time) return canonicalTime(text)
  if (property.vocabulary !== undefined && /^[A-Za-z0-9_-]+$/.test(text)) {
    return (property.vocabulary === GS1_VOCABULARY ? namespaces.get('gs1')! : property.vocabulary) + text
  }
  const prefix = text.slice(0, Math.max(0, text.indexOf(':')))
  const namespace = namespaces.get(prefix) ?? ''
  if (GS1_NAMESPACE.test(namespace) && PREFIX.test(prefix)) return namespace + text.slice(prefix.length + 1)
  const word = canonicalWord(text)
  return toCanonicalDigitalLink(word) ?? canonicalNumber(word)
}

// ------------------------------------------------------------------------------------------------------ pre-hash

interface Rendering {
  namespaces: Namespaces
  ignored: ReadonlySet<string>
}

/** The fields named, in their order; values of one name sorted. */
function renderFields(object: JsonObject, fields: readonly Property[], run: Rendering): string {
  let text = ''
  for (const field of fields) {
    const value = object[field.key]
    if (value !== undefined && value !== null) text += renderProperty(value, field, run)
  }
  return text
}

function renderProperty(value: unknown, property: Property, run: Rendering): string {
  const text = Array.isArray(value)
    ? value.map((one) => renderValue(one, property, run)).sort().join('')
    : renderValue(value, property, run)
  return property.entry === undefined ? text : withName(property.key, text)
}

function renderValue(value: unknown, property: Property, run: Rendering): string {
  const name = property.entry ?? property.key
  if (property.fields) return isObject(value) ? withName(name, renderFields(value, property.fields, run)) : ''
  const text = canonicalValue(value, property, run.namespaces)
  return text === '' ? '' : `${name}=${text}`
}

const withName = (name: string, text: string): string => (text === '' ? '' : name + text)

function qualifiedName(key: string, namespaces: Namespaces): string {
  const at = key.indexOf(':')
  const namespace = at > 0 ? namespaces.get(key.slice(0, at)) : undefined
  return namespace === undefined ? key : `{${namespace}}${key.slice(at + 1)}`
}

/** Extensions: every entry `name`, `=value`, children; sorted on each level. */
function renderExtension(key: string, value: unknown, run: Rendering): string[] {
  const name = qualifiedName(key, run.namespaces)
  return asList(value).map((one) => {
    if (isObject(one)) return name + renderExtensions(one, [], run)
    const text = one === null || one === undefined ? '' : canonicalValue(one, { key }, run.namespaces)
    return text === '' ? name : `${name}=${text}`
  })
}

/** What `fields` leaves of an object: extensions, the lists of parties, and the extensions inside known objects. */
function renderExtensions(object: JsonObject, fields: readonly Property[], run: Rendering): string {
  const rest: string[] = []
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined || run.ignored.has(key)) continue
    const field = fields.find((known) => known.key === key)
    const party = entryOf(PARTY_LISTS, key)
    if (field) {
      if (field.fields) rest.push(renderInnerExtensions(value, field, run))
    } else if (party) rest.push(value === null ? '' : renderProperty(value, { key, entry: '', fields: party }, run))
    else rest.push(...renderExtension(key, value, run))
  }
  return rest.sort().join('')
}

function renderInnerExtensions(value: unknown, property: Property, run: Rendering): string {
  const inner = asList(value).map((one) =>
    isObject(one) ? withName(property.entry ?? '', renderExtensions(one, property.fields!, run)) : '',
  )
  return withName(property.key, inner.sort().join(''))
}

/** The text whose SHA-256 is the event's id. */
export function epcisPreHash(event: JsonObject, options: EpcisHashOptions = {}): string {
  const run: Rendering = {
    namespaces: namespacesOf(options.context, event['@context']),
    ignored: new Set([...NOT_HASHED, ...(options.ignoreFields ?? [])]),
  }
  const type = [event['type'], event['isA']].find((name) => typeof name === 'string') ?? ''
  return `eventType=${type}${renderFields(event, EVENT_FIELDS, run)}${renderExtensions(event, EVENT_FIELDS, run)}`
}

/** @returns `ni:///sha-256;<64 hexadecimal digits>?ver=CBV2.0` */
export function epcisEventHash(event: JsonObject, options: EpcisHashOptions = {}): string {
  return `ni:///sha-256;${bytesToHex(sha256(utf8ToBytes(epcisPreHash(event, options)))).slice(2)}?ver=CBV2.0`
}

/** An EPCIS document taken apart: its events, and what of the document counts for their ids. */
export function readEpcisDocument(document: JsonObject): { events: JsonObject[]; options: EpcisHashOptions } {
  const body = isObject(document['epcisBody']) ? document['epcisBody'] : {}
  const events = asList(body['eventList'] ?? body['event'] ?? []).filter(isObject)
  const ignoreFields = Object.entries(document)
    .filter(([key]) => key.endsWith(':ignoreFields'))
    .flatMap(([, names]) => asList(names).map(textOf))
  return { events, options: { context: document['@context'], ignoreFields } }
}
