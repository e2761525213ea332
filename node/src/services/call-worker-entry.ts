import '../base/polyfill.js'
import { parentPort, workerData } from 'node:worker_threads'
import { errorToSent } from '../base/sent-error.js'
import { createEthereumjsEvm } from '../execution/ethereumjs-evm.js'
import { installNativeCrypto } from '../execution/native-crypto.js'
import { openStoreForReading } from '../storage/open-store.js'
import type { TaskRequest, WorkerMessage, WorkerSettings } from './call-worker-protocol.js'
import { createCallTasks } from './call-worker-tasks.js'

/** The thread of calls and searches: one request at a time, one answer to each. It ends when the pool ends it. */
async function serve(): Promise<void> {
  const port = parentPort
  if (!port) throw new RangeError('this file runs as a worker thread')
  const { storeFolder, chainId, gasMax } = workerData as WorkerSettings
  await installNativeCrypto()
  const store = await openStoreForReading(storeFolder)
  const tasks = createCallTasks(store, { evm: await createEthereumjsEvm({ chainId: BigInt(chainId) }), gasMax })
  const answer = async ({ name, args }: TaskRequest): Promise<WorkerMessage> => {
    const run = tasks[name].bind(tasks) as (...args: unknown[]) => Promise<unknown>
    return { kind: 'result', result: await run(...args) }
  }
  const send = (message: WorkerMessage): void => port.postMessage(message)

  port.on('message', (request: TaskRequest) => {
    answer(request).then(send, (error: unknown) => send({ kind: 'error', error: errorToSent(error) }))
  })
  send({ kind: 'ready' })
}

await serve()
