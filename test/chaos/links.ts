import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { type PathState, Pipe, reset } from './pipe.js'

/** A fault of the network between nodes, by their numbers. */
export type LinkFault =
  /** Between the two nothing can be connected, and what is connected is reset. */
  | { kind: 'cut'; a: number; b: number }
  /** Nothing arrives that `from` sends to `to`, whoever of the two dialled; the other way is open. */
  | { kind: 'hold'; from: number; to: number }
  | { kind: 'delay'; from: number; to: number; delayMs: number }

/** Every way between two nodes, as TCP proxies of this process. */
export interface Links {
  /** Where `dialler` finds `target`. */
  port(dialler: number, target: number): number
  /** Where the node itself listens. */
  route(target: number, port: number): void
  /** @returns ends the fault */
  impose(fault: LinkFault): () => void
  /** Ends the connections between the two, as a firewall does that has lost its table. */
  reset(a: number, b: number): void
  /** Ends them for `told` alone; the other is left with a connection to nobody. @returns tells the other too */
  halve(a: number, b: number, told: number): () => void
  connections(): number
  close(): Promise<void>
}

interface Connection {
  dialler: number
  target: number
  /** By node. */
  sockets: ReadonlyMap<number, Socket>
  pipes: readonly Pipe[]
}

export async function createLinks(nodes: number): Promise<Links> {
  const links = new ProxiedLinks()
  for (let dialler = 0; dialler < nodes; dialler += 1) {
    for (let target = 0; target < nodes; target += 1) if (dialler !== target) await links.listen(dialler, target)
  }
  return links
}

class ProxiedLinks implements Links {
  readonly #servers = new Map<string, Server>()
  readonly #routes = new Map<number, number>()
  readonly #faults = new Set<LinkFault>()
  readonly #connections = new Set<Connection>()

  async listen(dialler: number, target: number): Promise<void> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#onDial(socket, dialler, target))
    await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done))
    this.#servers.set(`${dialler} ${target}`, server)
  }

  port(dialler: number, target: number): number {
    return (this.#servers.get(`${dialler} ${target}`)!.address() as AddressInfo).port
  }

  route(target: number, port: number): void {
    this.#routes.set(target, port)
  }

  impose(fault: LinkFault): () => void {
    this.#faults.add(fault)
    if (fault.kind === 'cut') this.reset(fault.a, fault.b)
    return () => {
      this.#faults.delete(fault)
      for (const { pipes } of this.#connections) for (const pipe of pipes) pipe.pump()
    }
  }

  reset(a: number, b: number): void {
    for (const { sockets } of this.#between(a, b)) for (const socket of sockets.values()) reset(socket)
  }

  halve(a: number, b: number, told: number): () => void {
    const halved = this.#between(a, b)
    for (const { sockets, pipes } of halved) {
      for (const pipe of pipes) pipe.sever()
      reset(sockets.get(told)!)
    }
    return () => halved.forEach(({ sockets }) => [...sockets.values()].forEach((socket) => reset(socket)))
  }

  connections(): number {
    return this.#connections.size
  }

  async close(): Promise<void> {
    const closing = [...this.#servers.values()].map((server) => new Promise((done) => server.close(done)))
    for (const { sockets } of this.#connections) for (const socket of sockets.values()) socket.destroy()
    await Promise.all(closing)
  }

  #between(a: number, b: number): Connection[] {
    return [...this.#connections].filter(({ sockets }) => sockets.has(a) && sockets.has(b))
  }

  #onDial(socket: Socket, dialler: number, target: number): void {
    socket.on('error', () => socket.destroy())
    const isCut = [...this.#faults].some((fault) => fault.kind === 'cut' && [fault.a, fault.b].includes(dialler) && [fault.a, fault.b].includes(target))
    if (isCut) return void reset(socket)
    const onward = connect({ host: '127.0.0.1', port: this.#routes.get(target)!, noDelay: true, allowHalfOpen: true })
    // Its own end is told by `close`, which follows.
    onward.on('error', () => onward.destroy())
    const pipes = [
      new Pipe(socket, onward, () => this.#pathOf(dialler, target)),
      new Pipe(onward, socket, () => this.#pathOf(target, dialler)),
    ]
    const connection: Connection = { dialler, target, sockets: new Map([[dialler, socket], [target, onward]]), pipes }
    this.#connections.add(connection)
    const forget = (): void => void (socket.destroyed && onward.destroyed && this.#connections.delete(connection))
    socket.on('close', forget)
    onward.on('close', forget)
  }

  #pathOf(from: number, to: number): PathState {
    const own = [...this.#faults].filter((fault) => fault.kind !== 'cut' && fault.from === from && fault.to === to)
    return {
      isHeld: own.some(({ kind }) => kind === 'hold'),
      delayMs: Math.max(0, ...own.map((fault) => (fault.kind === 'delay' ? fault.delayMs : 0))),
    }
  }
}
