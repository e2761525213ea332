/**
 * Every option of a node, once, as data. The command line (`songhua start --rpc-port`), the configuration file
 * (`<dataDir>/songhua.json`, `{"rpc": {"port": 8545}}`), their checks, defaults and help are generated from this table.
 */
export interface OptionSpec {
  /** Path in the configuration file, dots between sections. */
  key: string
  flag: `--${string}`
  type:
    | 'text' | 'path' | 'host' | 'port' | 'integer' | 'boolean' | 'choice'
    | 'endpoints' | 'peers' | 'origins' | 'hosts' | 'networks'
  default?: string | number | boolean | readonly string[]
  unit?: string
  /** Of the flag in its help, where the type's would mislead. */
  placeholder?: `<${string}>`
  /** Bounds of an integer, both included. */
  min?: number
  max?: number
  choices?: readonly string[]
  help: { en: string; zh: string }
}

const LOOPBACK = ['127.0.0.1', '::1'] as const
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** In the order of the help. */
export const NODE_OPTIONS = [
  {
    key: 'name',
    flag: '--name',
    type: 'text',
    default: '',
    help: { en: 'name shown in logs and status (default: from the node address)', zh: '节点名称，用于日志与状态（默认取自节点地址）' },
  },
  {
    key: 'genesisFile',
    flag: '--genesis',
    type: 'path',
    default: '',
    help: {
      en: 'genesis file (default: genesis.json in the data folder)',
      zh: '创世文件（默认为数据目录中的 genesis.json）',
    },
  },
  {
    key: 'nodeKey.keystoreFile',
    flag: '--key-file',
    type: 'path',
    default: '',
    help: { en: 'encrypted node key (default: node-key.json in the data folder)', zh: '加密的节点私钥文件（默认为数据目录中的 node-key.json）' },
  },
  {
    key: 'nodeKey.passwordFile',
    flag: '--key-password-file',
    type: 'path',
    default: '',
    help: {
      en: 'file whose first line is the password of the node key (default: ask)',
      zh: '节点私钥口令文件，取第一行（默认询问）',
    },
  },
  {
    key: 'nodeKey.devFile',
    flag: '--dev-key-file',
    type: 'path',
    default: '',
    help: {
      en: 'node key as plain hex, accepted on a devnet (chain id 230099) only',
      zh: '明文节点私钥，仅限开发网（链 ID 230099）',
    },
  },
  {
    key: 'follow',
    flag: '--follow',
    type: 'boolean',
    default: false,
    help: { en: 'follow the chain and never vote', zh: '只同步链，不参与共识' },
  },
  {
    key: 'p2p.listen',
    flag: '--p2p-listen',
    type: 'endpoints',
    default: ['0.0.0.0:30303', '[::]:30303'],
    help: { en: 'where to listen for peers: host:port or multiaddr', zh: '对等网络监听地址，host:port 或 multiaddr' },
  },
  {
    key: 'p2p.announce',
    flag: '--p2p-announce',
    type: 'endpoints',
    default: [],
    help: { en: 'addresses told to peers instead of those listened on', zh: '向其他节点公布的地址，代替监听地址' },
  },
  {
    key: 'p2p.bootnodes',
    flag: '--bootnodes',
    type: 'peers',
    default: [],
    help: {
      en: 'peers to dial first: /ip4/10.0.0.1/tcp/30303/p2p/<peer id>',
      zh: '首先连接的节点，如 /ip4/10.0.0.1/tcp/30303/p2p/<节点标识>',
    },
  },
  {
    key: 'p2p.bootnodesOnly',
    flag: '--bootnodes-only',
    type: 'boolean',
    default: false,
    help: {
      en: 'dial the bootnodes and nobody else, whatever addresses peers tell',
      zh: '仅连接所列 bootnodes，不采用其他节点告知的地址',
    },
  },
  {
    key: 'rpc.host',
    flag: '--rpc-host',
    type: 'host',
    default: '127.0.0.1',
    help: { en: 'address of JSON-RPC, HTTP and WebSocket', zh: 'JSON-RPC（HTTP 与 WebSocket）地址' },
  },
  {
    key: 'rpc.port',
    flag: '--rpc-port',
    type: 'port',
    default: 8545,
    help: { en: 'port of JSON-RPC (0: any free port)', zh: 'JSON-RPC 端口（0 为任意空闲端口）' },
  },
  {
    key: 'rpc.corsOrigins',
    flag: '--rpc-cors-origins',
    type: 'origins',
    default: [],
    help: { en: 'web origins that browsers may call from, or *', zh: '允许跨域调用的网页来源，或 *' },
  },
  {
    key: 'rpc.allowedHosts',
    flag: '--rpc-allowed-hosts',
    type: 'hosts',
    default: ['localhost', '127.0.0.1', '[::1]'],
    help: { en: 'Host headers answered, against DNS rebinding, or *', zh: '允许的 Host 头（防 DNS 重绑定），或 *' },
  },
  {
    key: 'admin.host',
    flag: '--admin-host',
    type: 'choice',
    choices: LOOPBACK,
    default: '127.0.0.1',
    help: { en: 'address of admin_*, health and metrics: loopback only', zh: '管理接口、健康检查与指标地址，仅限本机' },
  },
  {
    key: 'admin.port',
    flag: '--admin-port',
    type: 'port',
    default: 9545,
    help: { en: 'port of admin_*, health and metrics (0: any free port)', zh: '管理接口端口（0 为任意空闲端口）' },
  },
  {
    key: 'gateway.enabled',
    flag: '--gateway',
    type: 'boolean',
    default: false,
    help: { en: 'serve records to departments over REST', zh: '启用记录网关（REST）' },
  },
  {
    key: 'gateway.host',
    flag: '--gateway-host',
    type: 'host',
    default: '127.0.0.1',
    help: { en: 'address of the gateway; TLS is the task of a proxy before it', zh: '网关地址；TLS 由前置代理承担' },
  },
  {
    key: 'gateway.port',
    flag: '--gateway-port',
    type: 'port',
    default: 8645,
    help: { en: 'port of the gateway (0: any free port)', zh: '网关端口（0 为任意空闲端口）' },
  },
  {
    key: 'gateway.keysDir',
    flag: '--gateway-keys',
    placeholder: '<folder>',
    type: 'path',
    default: '',
    help: {
      en: 'folder of the keys of payloads, best on a disk of its own (default: gateway-keys in the data folder)',
      zh: '载荷密钥目录，宜置于独立磁盘（默认为数据目录中的 gateway-keys）',
    },
  },
  {
    key: 'gateway.corsOrigins',
    flag: '--gateway-cors-origins',
    type: 'origins',
    default: [],
    help: { en: 'web origins that browsers may call the gateway from, or *', zh: '允许跨域访问网关的网页来源，或 *' },
  },
  {
    key: 'gateway.allowedHosts',
    flag: '--gateway-allowed-hosts',
    type: 'hosts',
    default: ['localhost', '127.0.0.1', '[::1]'],
    help: { en: 'Host headers that the gateway answers, or *', zh: '网关允许的 Host 头，或 *' },
  },
  {
    key: 'gateway.webhookHosts',
    flag: '--gateway-webhook-hosts',
    type: 'hosts',
    default: [],
    help: { en: 'hosts that webhooks may call; none unless named', zh: '允许 webhook 调用的主机；未列出则一律拒绝' },
  },
  {
    key: 'gateway.trustedProxies',
    flag: '--gateway-trusted-proxies',
    type: 'networks',
    default: [],
    help: {
      en: 'proxies whose X-Forwarded-For is believed: addresses or CIDR; none unless named',
      zh: '信任其 X-Forwarded-For 的前置代理：地址或 CIDR；未列出则一律不信',
    },
  },
  {
    key: 'gateway.batchDelayMs',
    flag: '--gateway-batch-delay',
    type: 'integer',
    unit: 'ms',
    min: 1,
    max: 60_000,
    default: 200,
    help: { en: 'how long the first record of a batch waits for others', zh: '批次中首条记录最长等待时间' },
  },
  {
    key: 'gateway.batchRecords',
    flag: '--gateway-batch-records',
    type: 'integer',
    unit: 'records',
    min: 1,
    max: 100_000,
    default: 10_000,
    help: { en: 'most records of one batch', zh: '每批最多记录数' },
  },
  {
    key: 'gateway.requestsPerSecond',
    flag: '--gateway-requests-per-second',
    type: 'integer',
    min: 1,
    max: 1_000_000,
    default: 5_000,
    help: { en: 'requests that one API key may make in a second', zh: '每个 API 密钥每秒请求上限' },
  },
  {
    key: 'gateway.recordsPerSecond',
    flag: '--gateway-records-per-second',
    type: 'integer',
    min: 1,
    max: 1_000_000,
    default: 20_000,
    help: { en: 'records that one API key may write in a second', zh: '每个 API 密钥每秒写入记录上限' },
  },
  {
    key: 'signatures.journal',
    flag: '--signature-journal',
    type: 'boolean',
    default: false,
    help: {
      en: 'keep a line of JSON for each signature of the validator key (signatures.ndjson in the data folder; some 200 bytes each, never deleted)',
      zh: '将验证者私钥的每次签名逐行记入数据目录的 signatures.ndjson（每条约 200 字节，不自动删除）',
    },
  },
  {
    key: 'disk.minFreeMb',
    flag: '--disk-min-free',
    type: 'integer',
    unit: 'MB',
    min: 0,
    max: 1_048_576,
    default: 256,
    help: {
      en: 'free room of the data folder below which the node stops, until there is twice as much (0: until a write fails)',
      zh: '数据目录所在磁盘的最低剩余空间，低于此值则节点停止，恢复到两倍后自动继续（0 为直到写入失败）',
    },
  },
  {
    key: 'log.level',
    flag: '--log-level',
    type: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    help: { en: 'least severe log line written', zh: '写入日志的最低级别' },
  },
  {
    key: 'log.format',
    flag: '--log-format',
    type: 'choice',
    choices: ['auto', 'json', 'pretty'],
    default: 'auto',
    help: { en: 'auto: pretty on a terminal, JSON elsewhere', zh: '日志格式；auto 在终端上为易读格式，否则为 JSON' },
  },
] as const satisfies readonly OptionSpec[]
