import { readFile } from 'node:fs/promises'

export interface City {
  readonly code: string
  readonly zh: string
  readonly en: string
}

export interface Organisation {
  readonly slug: string
  readonly uscc: string
  readonly kind: string
  readonly nameZh: string
  readonly nameEn: string
}

/** A machine of the province: where it stands, who answers for it, and what it does. */
export interface NodePlan {
  readonly slug: string
  readonly name: string
  readonly city: string
  readonly kind: 'super' | 'backbone'
  readonly isValidator: boolean
  /** Credit codes of its three bodies. */
  readonly government: string
  readonly telecom: string
  readonly operator: string
  readonly acCode: string
  /** JSON-RPC; the next two are admin and peers. */
  readonly port: number
}

/** The super node and the first six cities: seven may miss two. */
const VALIDATORS = 7
const PORTS_EACH = 10

const data = async (name: string): Promise<unknown> => JSON.parse(await readFile(new URL(`../data/${name}`, import.meta.url), 'utf8'))

export const readOrganisations = async (): Promise<Organisation[]> => (await data('organisations.json')) as Organisation[]

/** The super node in the provincial capital, then a backbone node for each city. */
export async function planNodes(organisations: readonly Organisation[], options: { basePort: number; cities: number }): Promise<NodePlan[]> {
  const { cities } = (await data('heilongjiang.json')) as { cities: City[] }
  const [cyberspace, business] = organisations.filter(({ kind }) => kind === 'government-body')
  const telecoms = organisations.filter(({ kind }) => kind === 'telecom-operator')
  const operator = organisations.find(({ kind }) => kind === 'operating-entity')!.uscc
  const capital = cities[0]!
  const places = [{ ...capital, en: `${capital.en} super node`, zh: `${capital.zh}超级节点` }, ...cities.slice(0, options.cities)]
  return places.map(({ code, en, zh }, index) => ({
    slug: en.toLowerCase().replace(/[^a-z]+/g, '-'),
    name: `${en} ${zh}`,
    city: code,
    kind: index === 0 ? 'super' : 'backbone',
    isValidator: index < VALIDATORS,
    government: (index === 0 ? cyberspace : business)!.uscc,
    telecom: telecoms[index % telecoms.length]!.uscc,
    operator,
    acCode: `h${String(index).padStart(3, '0')}`,
    port: options.basePort + PORTS_EACH * index,
  }))
}
