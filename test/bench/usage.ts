/** What the nodes used, by their own Prometheus metrics. */
export interface Usage {
  cpuUs: number
  rssMb: number
}

const BYTES_PER_MB = 2 ** 20
const US_PER_S = 1e6

export async function usageOf(admin: string): Promise<Usage> {
  const response = await fetch(`${admin}/metrics`)
  const text = await response.text()
  return {
    cpuUs: metric(text, 'process_cpu_seconds_total') * US_PER_S,
    rssMb: metric(text, 'process_resident_memory_bytes') / BYTES_PER_MB,
  }
}

function metric(text: string, name: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`))
  const value = Number(line?.split(' ').at(-1))
  if (!Number.isFinite(value)) throw new Error(`the node's metrics hold no ${name}`)
  return value
}

export interface UsageWatch {
  /** CPU of all nodes since the start, and the largest memory of any. */
  stop(): Promise<{ cpuUs: number; rssMbMax: number }>
}

/** Samples memory twice a second; CPU is the difference between the ends. */
export async function watchUsage(admins: string[]): Promise<UsageWatch> {
  const sample = (): Promise<Usage[]> => Promise.all(admins.map(usageOf))
  const first = await sample()
  let rssMbMax = Math.max(...first.map((usage) => usage.rssMb))
  let failed: Error | undefined
  const timer = setInterval(() => {
    sample().then(
      (usages) => (rssMbMax = Math.max(rssMbMax, ...usages.map((usage) => usage.rssMb))),
      (error: unknown) => (failed ??= error instanceof Error ? error : new Error('no metrics', { cause: error })),
    )
  }, 500)
  return {
    async stop() {
      clearInterval(timer)
      if (failed) throw failed
      const last = await sample()
      const cpuUs = last.reduce((sum, usage, node) => sum + usage.cpuUs - first[node]!.cpuUs, 0)
      return { cpuUs, rssMbMax: Math.max(rssMbMax, ...last.map((usage) => usage.rssMb)) }
    },
  }
}
