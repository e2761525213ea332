import type { FastifyReply } from 'fastify'

/** Header text that is looked at, characters. */
const ACCEPT_CHARACTERS_MAX = 1024

/**
 * Whether an Accept header names the media type, and wants it no less than plain JSON.
 * @param type in lower case; what a wildcard covers is not named
 */
export function prefersToJson(accept: string | undefined, type: string): boolean {
  const ranges = (accept ?? '').slice(0, ACCEPT_CHARACTERS_MAX).split(',').map(readRange)
  const weightOf = (...names: string[]): number => ranges.find(({ name }) => names.includes(name))?.weight ?? 0
  const weight = weightOf(type)
  return weight > 0 && weight >= (weightOf('application/json') || weightOf('application/*', '*/*'))
}

function readRange(text: string): { name: string; weight: number } {
  const [name = '', ...parameters] = text.toLowerCase().split(';').map((one) => one.trim())
  const q = parameters.find((one) => one.startsWith('q='))?.slice(2)
  if (q === undefined) return { name, weight: 1 }
  // RFC 9110 §12.4.2; what is none is as if the range were not there.
  return { name, weight: /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : 0 }
}

/** Adds to what a cache must tell answers apart by. */
export function addVary(reply: FastifyReply, name: string): void {
  const given = reply.getHeader('vary')
  void reply.header('vary', given === undefined ? name : `${String(given)}, ${name}`)
}
