/** Everything the command line says to people, in both languages. `{name}` is filled in. */
export const MESSAGES = {
  description: {
    en:
      'Songhua 松花: a permissioned backbone chain for public records.\n\n' +
      '摘要：省级许可链节点，用于政务、溯源与征信记录，兼容以太坊接口。中文帮助：songhua --lang zh --help',
    zh: 'Songhua 松花：面向公共记录（政务、溯源、征信）的省级许可链节点。',
  },
  langHelp: { en: 'language of messages (default: from LANG)', zh: '提示语言（默认取自 LANG）' },
  examples: { en: 'Examples:', zh: '示例：' },
  exitCodes: { en: 'Exit codes:', zh: '退出码：' },
  helpOption: { en: 'show this help', zh: '显示帮助' },
  helpCommand: { en: 'show the help of a command', zh: '显示某个命令的帮助' },
  helpUsage: { en: 'Usage:', zh: '用法：' },
  helpOptions: { en: 'Options:', zh: '选项：' },
  helpCommands: { en: 'Commands:', zh: '命令：' },
  helpArguments: { en: 'Arguments:', zh: '参数：' },
  helpGlobalOptions: { en: 'Options of every command:', zh: '通用选项：' },
  usageOptions: { en: '[options]', zh: '[选项]' },
  usageCommand: { en: '[command]', zh: '[命令]' },
  versionOption: { en: 'show the version', zh: '显示版本' },
  defaultValue: { en: 'default: {value}', zh: '默认 {value}' },
  choices: { en: 'one of: {choices}', zh: '可选：{choices}' },
  optionNote: { en: '{text} ({value})', zh: '{text}（{value}）' },
  error: { en: 'error', zh: '错误' },
  seeHelp: { en: 'See: songhua {command}--help', zh: '参见：songhua {command}--help' },

  didYouMean: { en: '(Did you mean {meant}?)', zh: '（是否指 {meant}？）' },
  unknownOption: { en: 'unknown option {name}', zh: '未知选项 {name}' },
  unknownCommand: { en: 'unknown command {name}; known are {known}', zh: '未知命令 {name}；可用命令：{known}' },
  missingArgument: { en: 'missing argument: {name}', zh: '缺少参数：{name}' },
  missingOption: { en: 'missing option: {name}', zh: '缺少选项：{name}' },
  missingValue: { en: 'option {name} needs a value', zh: '选项 {name} 需要取值' },
  excessArguments: { en: 'too many arguments: {name}', zh: '多余的参数：{name}' },
  badArgument: { en: '{message}', zh: '{message}' },
  badChoice: { en: '{flag}: must be one of {choices}, not {value}', zh: '{flag}：应为 {choices} 之一，而非 {value}' },
  badInteger: {
    en: '{flag}: must be an integer from {min} to {max}, not {value}',
    zh: '{flag}：应为 {min} 至 {max} 的整数，而非 {value}',
  },
  badLanguage: { en: '--lang: must be en or zh, not {value}', zh: '--lang：应为 en 或 zh，而非 {value}' },
  badUrl: { en: '{flag}: must be an http:// address, not {value}', zh: '{flag}：应为 http:// 地址，而非 {value}' },
  fileMissing: { en: '{what} {path}: no such file', zh: '{what} {path}：文件不存在' },
  fileUnreadable: { en: '{what} {path}: cannot be read ({reason})', zh: '{what} {path}：无法读取（{reason}）' },
  fileUnwritable: { en: '{what} {path}: cannot be written ({reason})', zh: '{what} {path}：无法写入（{reason}）' },
  fileTooBig: { en: '{what} {path}: larger than {max} bytes', zh: '{what} {path}：超过 {max} 字节' },
  fileExists: {
    en: '{what} {path}: exists already and is not overwritten; choose another or move it away',
    zh: '{what} {path}：已存在，不会覆盖；请另选路径或移走',
  },
  jsonInvalid: { en: '{what} {path}: is not JSON ({reason})', zh: '{what} {path}：不是合法 JSON（{reason}）' },
  folderNotEmpty: {
    en: 'data folder {path}: is not empty; nothing was changed',
    zh: '数据目录 {path}：非空；未做任何改动',
  },
  configLost: {
    en: 'data folder {path}: has lost its {file}, and a node\'s key or chain is there: write {} into {file}, or the configuration that it had. Delete nothing, and do not run songhua init: the key would be lost',
    zh: '数据目录 {path}：缺少 {file}，但其中有节点的私钥或链数据：请在 {file} 中写入 {} 或原有配置。切勿删除任何文件，也不要运行 songhua init，否则私钥会丢失',
  },
  folderIsPart: {
    en: '{path}: is a part of the data folder {parent}; name that one: --data {parent}',
    zh: '{path}：是数据目录 {parent} 的一部分；请改用 --data {parent}',
  },
  dataIsFile: { en: '{path}: is a file; --data names the data folder of a node', zh: '{path}：是文件；--data 应为节点数据目录' },
  notInitialised: {
    en: 'data folder {path}: has no {file}; create it with: songhua init --data {path}',
    zh: '数据目录 {path}：没有 {file}；请先运行：songhua init --data {path}',
  },

  genesisFile: { en: 'genesis file', zh: '创世文件' },
  rosterFile: { en: 'roster file', zh: '名册文件' },
  configFile: { en: 'configuration file', zh: '配置文件' },
  keyFile: { en: 'key file', zh: '私钥文件' },
  passwordFile: { en: 'password file', zh: '口令文件' },
  devnetFile: { en: 'devnet file', zh: '开发网文件' },
  dataFolder: { en: 'data folder', zh: '数据目录' },
  apiKeysFile: { en: 'file of API keys', zh: 'API 密钥文件' },
  outFile: { en: 'output file', zh: '输出文件' },
  evidenceFile: { en: 'evidence file', zh: '证据文件' },
  trustAnchorFile: { en: 'trust anchor file', zh: '信任锚文件' },
  payloadFile: { en: 'payload file', zh: '原文文件' },
  saltFile: { en: 'salt file', zh: '盐值文件' },
  documentFile: { en: 'document', zh: '文件' },
  applicationFile: { en: 'application file', zh: '申请文件' },
  argumentsFile: { en: 'file of arguments', zh: '参数文件' },
  consentFile: { en: 'consent file', zh: '同意书文件' },
  contactFile: { en: 'file of contact data', zh: '联系信息文件' },
  endpointsFile: { en: 'file of endpoints', zh: '网络端点文件' },
  apiKeyFile: { en: 'API key file', zh: 'API 密钥文件' },
  usageFile: { en: 'usage statement', zh: '用量清单文件' },
  usageUnsound: { en: 'the statement is not sound: see the steps', zh: '清单未通过核验：请见各步骤' },

  askPassword: { en: 'Password of the node key: ', zh: '节点私钥口令：' },
  askNewPassword: { en: 'New password (8 characters or more): ', zh: '新口令（至少 8 个字符）：' },
  askAgain: { en: 'The same again: ', zh: '再输入一次：' },
  passwordsDiffer: { en: 'the two passwords differ', zh: '两次输入的口令不同' },
  passwordEmpty: {
    en: 'password file {path}: its first line is empty; write the password there',
    zh: '口令文件 {path}：第一行为空；请写入口令',
  },
  passwordShort: {
    en: '{source}: the password must have at least {min} characters',
    zh: '{source}：口令至少 {min} 个字符',
  },
  passwordNone: {
    en: 'password: none given; use --{flag} FILE, or type it on a terminal, or pipe it to standard input',
    zh: '口令：未提供；请使用 --{flag} 文件、在终端输入，或从标准输入传入',
  },
  passwordWrong: {
    en: 'wrong password for {path}, or its ciphertext was changed',
    zh: '{path} 的口令错误，或密文被改动',
  },
  keystoreField: { en: 'key file {path}: {field} must be {must}', zh: '私钥文件 {path}：{field} 应为 {must}' },
  keyInvalid: {
    en: '{source}: must hold a private key, 64 hexadecimal digits below the order of secp256k1',
    zh: '{source}：应为私钥，即 64 位十六进制数且小于 secp256k1 的阶',
  },
  keySaved: { en: 'Key saved, encrypted: {path}', zh: '私钥已加密保存：{path}' },
  keyLogBound: {
    en: 'The new consensus log goes with this key now: {path}. If the key has ever signed on this chain, delete that log before the start: the node then keeps silent until it may vote.',
    zh: '新的共识日志现归属于此私钥：{path}。若此私钥曾在本链签名，请在启动前删除该日志：节点将保持静默，直至可安全投票。',
  },
  keyExported: {
    en: 'Private key written, NOT encrypted: {path} (mode 0600). Whoever reads it acts as this node.',
    zh: '私钥已明文写入：{path}（权限 0600）。任何读到它的人都可冒充本节点。',
  },
  address: { en: 'address', zh: '地址' },
  publicKey: { en: 'public key', zh: '公钥' },
  peerId: { en: 'peer id', zh: '对等 ID' },

  initDone: { en: 'Data folder ready: {path}', zh: '数据目录已就绪：{path}' },
  initNext: {
    en: 'Next: songhua start --data {path}',
    zh: '下一步：songhua start --data {path}',
  },
  initNeedsGenesis: {
    en:
      'Next: give the public key above to whoever makes the genesis, copy genesis.json into {path}, then: ' +
      'songhua start --data {path}',
    zh: '下一步：将上面的公钥交给创世文件制作方，把 genesis.json 放入 {path}，然后运行：songhua start --data {path}',
  },
  notInGenesis: {
    en: 'Note: this key is not among the validators of the genesis; the node will follow without voting.',
    zh: '注意：该私钥不在创世验证者之列；节点将只同步、不参与共识。',
  },
  genesisDone: {
    en: 'Genesis written: {path} (chain {chainId}, {validators} validators, tolerates {faults} faulty)',
    zh: '创世文件已写入：{path}（链 {chainId}，验证者 {validators} 个，容错 {faults} 个）',
  },
  genesisChainId: {
    en:
      'Warning: chain id {chainId} must not have been another chain\'s, not even a trial\'s. Consents, node applications and transactions are signed for a ' +
      'chain id, not for a genesis: what was signed there would hold here, and the other way round. For a new chain take another: --chain-id',
    zh:
      '警告：链 ID {chainId} 不得曾用于其他链（包括试验链）。账户同意书、节点申请与交易按链 ID 而非创世文件签名：' +
      '在一条链上的签名在另一条链上同样有效。新建链请另选：--chain-id',
  },
  genesisNext: {
    en: 'Give the same file to every node, bit for bit.',
    zh: '请将同一文件逐字节分发给每个节点。',
  },

  startNeedsGenesis: {
    en: '{message}; copy the genesis file of another node of this chain, bit for bit, or name it with --genesis',
    zh: '{message}；请从本链其他节点逐字节复制创世文件，或用 --genesis 指定',
  },
  startNeedsKey: {
    en: '{message}; put the key file back, or name it with --key-file. A new key would be another node',
    zh: '{message}；请放回私钥文件，或用 --key-file 指定。新私钥即为另一节点',
  },
  startNeedsPassword: {
    en: '{message}; put the password file back, or name it with --key-password-file; without one the password is asked for',
    zh: '{message}；请放回口令文件，或用 --key-password-file 指定；不设口令文件时启动会询问口令',
  },
  started: { en: 'Songhua 松花 node {name} runs on chain {chainId}', zh: '松花节点 {name} 已运行于链 {chainId}' },
  syncing: { en: 'syncing', zh: '同步中' },
  stopping: { en: 'Stopping; a second signal ends at once.', zh: '正在停止；再次发送信号将立即退出。' },
  stopped: { en: 'Stopped.', zh: '已停止。' },
  devKeyOnly: {
    en:
      'nodeKey.devFile: a plain key is for a devnet, chain id 230099; this genesis has {chainId}. ' +
      'Use an encrypted key: songhua keys import',
    zh: 'nodeKey.devFile：明文私钥仅限开发网（链 ID 230099）；该创世为 {chainId}。请使用加密私钥：songhua keys import',
  },
  diskFull: {
    en:
      'The node has stopped: {free} bytes are free on the disk of {path}. What it has acknowledged is safe. ' +
      'Make room; from {needed} bytes on it starts again by itself. A signal ends it.',
    zh:
      '节点已停止：{path} 所在磁盘剩余 {free} 字节。已确认的数据均已保存。' +
      '请清理磁盘；剩余达到 {needed} 字节时节点自动重新启动。发送信号可结束进程。',
  },
  diskResumes: { en: 'There is room on the disk of {path} again: the node starts.', zh: '{path} 所在磁盘已有足够空间：节点重新启动。' },
  crashDevnetOnly: {
    en: 'SONGHUA_CRASH_AT: kills a node for a test, on a devnet (chain id 230099) only; this genesis has {chainId}. Unset it',
    zh: 'SONGHUA_CRASH_AT：用于测试中强制结束节点，仅限开发网（链 ID 230099）；该创世为 {chainId}。请取消该环境变量',
  },
  crashUnknown: {
    en: 'SONGHUA_CRASH_AT: must be <point> or <point>:<1 to {max}>, not {value}; points are {known}',
    zh: 'SONGHUA_CRASH_AT：应为 <崩溃点> 或 <崩溃点>:<1 至 {max}>，而非 {value}；可用崩溃点：{known}',
  },
  internal: { en: 'internal error; please report it with what follows', zh: '内部错误；请连同以下内容反馈' },

  devnetNew: { en: 'A new devnet of {count} validators in {path}', zh: '在 {path} 新建 {count} 个验证者的开发网' },
  devnetResumes: { en: 'Resuming the devnet in {path}', zh: '继续运行 {path} 中的开发网' },
  devnetRunning: {
    en: 'the devnet in {path} runs already: its node {name} answers at {url}',
    zh: '{path} 中的开发网已在运行：其节点 {name} 在 {url} 应答',
  },
  devnetCountDiffers: {
    en: '--{flag}: the devnet in {path} has {stored}, not {asked}; leave the flag out or choose another --data',
    zh: '--{flag}：{path} 中的开发网有 {stored} 个，而非 {asked} 个；请去掉该选项或另选 --data',
  },
  devnetDamaged: {
    en: 'devnet file {path}: {field} must be {must}',
    zh: '开发网文件 {path}：{field} 应为 {must}',
  },
  devnetNotOurs: {
    en: 'data folder {path}: is not empty and holds no devnet; nothing was changed',
    zh: '数据目录 {path}：非空且不是开发网；未做任何改动',
  },
  portInUse: {
    en: 'port {port} ({use} of {node}) is in use; end what uses it or choose another --base-port',
    zh: '端口 {port}（{node} 的 {use}）被占用；请结束占用者或另选 --base-port',
  },
  portRange: {
    en: '--base-port: {count} nodes need ports up to {last}, and 65535 is the last there is',
    zh: '--base-port：{count} 个节点需用到端口 {last}，超过 65535',
  },
  devnetWaiting: { en: 'waiting for block 1', zh: '等待第 1 个区块' },
  devnetTimeout: {
    en: 'nodes did not agree on block 1 within {seconds} s: {states}',
    zh: '各节点未能在 {seconds} 秒内就第 1 个区块达成一致：{states}',
  },
  devnetForked: { en: 'nodes have different blocks 1: {states}', zh: '各节点第 1 个区块不同：{states}' },
  devnetChildDied: {
    en: 'node {name} (pid {pid}) ended by {cause}. Last lines of {log}:\n{lines}',
    zh: '节点 {name}（pid {pid}）因 {cause} 结束。{log} 末尾：\n{lines}',
  },
  devnetRestart: { en: 'Start it again: songhua start --data {path}', zh: '重新启动：songhua start --data {path}' },
  devnetReady: {
    en: 'Chain {chainId} is up: all {count} nodes agree on block 1 {hash}',
    zh: '链 {chainId} 已启动：全部 {count} 个节点就第 1 个区块 {hash} 一致',
  },
  devnetAccounts: {
    en: 'Development accounts, public knowledge, never for anything real:',
    zh: '开发账户，公开已知，切勿用于真实用途：',
  },
  devnetApiKey: {
    en: 'API key of the gateways, for development: {key}',
    zh: '网关的开发用 API 密钥：{key}',
  },
  columnGateway: { en: 'gateway', zh: '网关' },
  devnetStay: { en: 'Up until Ctrl-C. Logs: {path}', zh: '按 Ctrl-C 停止。日志：{path}' },
  superNode: { en: 'super node', zh: '超级节点' },
  backboneNode: { en: 'backbone node', zh: '骨干节点' },
  followerNode: { en: 'follower', zh: '同步节点' },
  columnName: { en: 'name', zh: '名称' },
  columnRole: { en: 'role', zh: '角色' },
  columnAccount: { en: 'private key', zh: '私钥' },

  demoTitle: { en: 'Anchoring records through the gateway:', zh: '通过网关锚定记录：' },
  demoRecord: { en: 'record', zh: '记录' },
  demoFamily: { en: 'family', zh: '类别' },
  demoBlock: { en: 'block', zh: '区块' },
  demoTime: { en: 'block time', zh: '区块时间' },
  demoFinality: { en: 'final after', zh: '最终确认用时' },
  demoStored: {
    en: 'Evidence, payloads and salts: {path}\nCheck one, offline: npx songhua verify {evidence} --payload {payload} --salt {salt} --data {data}',
    zh: '存证、原文与盐值：{path}\n离线核验其中一条：npx songhua verify {evidence} --payload {payload} --salt {salt} --data {data}',
  },
  demoStandsStill: {
    en: 'Waiting for {seconds} s: the chain\'s head, block {height}, has not moved since {time}. See why: songhua doctor --data {data}',
    zh: '已等待 {seconds} 秒：链头（区块 {height}）自 {time} 起未再前进。查看原因：songhua doctor --data {data}',
  },
  demoWaits: {
    en: 'Waiting for {seconds} s: the chain goes on (block {height}, {time}), and the gateway has not anchored the record yet. See why: songhua doctor --data {data}',
    zh: '已等待 {seconds} 秒：链仍在出块（区块 {height}，{time}），但网关尚未锚定该记录。查看原因：songhua doctor --data {data}',
  },
  demoNoAnswer: {
    en: 'Waiting for {seconds} s: the node of the gateway does not answer. See why: songhua doctor --data {data}',
    zh: '已等待 {seconds} 秒：网关所在节点无应答。查看原因：songhua doctor --data {data}',
  },
  demoNeedsGateway: {
    en: '--demo anchors through a gateway; leave --gateways 0 out',
    zh: '--demo 需要网关；请去掉 --gateways 0',
  },
  demoFailed: { en: 'the evidence of record {record} does not verify: {reason}', zh: '记录 {record} 的存证未通过核验：{reason}' },

  backupDone: {
    en: 'Records: {to}\nKeys of payloads: {keysTo}. Keep the two apart; whoever has both can read all payloads.',
    zh: '记录：{to}\n载荷密钥：{keysTo}。两者请分开保管；同时取得两者即可读取全部载荷。',
  },
  backupWhat: {
    en: 'name what to back up: the chain with --chain-to, records with --to and --keys-to together, or all three',
    zh: '请指明备份内容：--chain-to（链数据），或同时给出 --to 与 --keys-to（记录），或三者皆给',
  },
  backupNoGateway: {
    en: '--to, --keys-to: this node has no gateway, so there are no records to back up; --chain-to backs up the chain',
    zh: '--to、--keys-to：该节点没有网关，没有可备份的记录；链数据请用 --chain-to',
  },
  backupGatewayDown: {
    en: 'the gateway is down, and nothing was backed up; songhua doctor says why',
    zh: '网关已停止，未作任何备份；原因请见 songhua doctor',
  },
  backupWithinData: {
    en: 'Note: {path} lies in the data folder {data}, on the same disk: what takes the one takes the other.',
    zh: '注意：{path} 位于数据目录 {data} 内，在同一磁盘上：磁盘损坏时两者会一同丢失。',
  },
  backupChainDone: {
    en: 'Chain: {to}. The next backup into the same folder adds the new blocks.',
    zh: '链数据：{to}。再次备份到同一目录时仅追加新区块。',
  },
  restoreWhat: {
    en: 'name what to restore: the chain with --chain-from, records with --from, or both',
    zh: '请指明恢复内容：--chain-from（链数据）、--from（记录），或两者皆给',
  },
  backupDamagedSlot: {
    en: 'slot {slot} of the key ring is damaged: record {record}',
    zh: '密钥环第 {slot} 槽已损坏：记录 {record}',
  },
  backupKeysDamaged: {
    en:
      'the backup is whole, but {count} keys of payloads are damaged in the gateway and can be read neither there nor ' +
      'from this backup. Keep an older backup of the keys: restore --check tells whether theirs are whole',
    zh: '备份完整，但网关中有 {count} 个载荷密钥已损坏，在网关和本备份中均无法读取。请保留较早的密钥备份，并用 restore --check 查看其是否完好',
  },
  restoreChecked: { en: 'The backup is whole and belongs together.', zh: '备份完整，且两部分相互匹配。' },
  restoreCheckKeys: {
    en: '--check: needs --keys-from as well, and not --keep-keys',
    zh: '--check：还需要 --keys-from，且不能与 --keep-keys 同用',
  },
  restoreNeedsData: { en: '--data: is missing; name the data folder of the node', zh: '--data：缺失；请指定节点数据目录' },
  restoreKeys: {
    en: 'name the backup of the keys with --keys-from, or keep those of the node with --keep-keys, one of the two',
    zh: '请用 --keys-from 指定密钥备份，或用 --keep-keys 沿用节点现有密钥，二者择一',
  },
  restoreDone: {
    en: 'Restored into {path}. Next: songhua start --data {path}',
    zh: '已恢复到 {path}。下一步：songhua start --data {path}',
  },
  doctorReading: { en: 'reading', zh: '读取中' },
  doctorDeepRunning: {
    en: 'Note: --deep was not done, as the node runs; it reads its own files a little at a time. Stop it for a deep look.',
    zh: '注意：节点正在运行，未执行 --deep；节点自身会逐步巡检其文件。需要深度检查请先停止节点。',
  },
  doctorNothing: { en: 'Nothing is wrong.', zh: '未发现问题。' },
  doctorUnwell: { en: 'findings that need somebody: {count} ({codes})', zh: '需要处理的发现：{count} 项（{codes}）' },
  repairNothing: {
    en: 'Nothing was found damaged in {parts}; nothing was changed. --deep reads every file and every block.',
    zh: '在 {parts} 中未发现损坏；未作任何改动。加 --deep 可读取全部文件与区块。',
  },
  repairNothingDeep: {
    en: 'Nothing is damaged: every file and every block was read in {parts}; nothing was changed.',
    zh: '没有损坏：已读取 {parts} 中的全部文件与区块；未作任何改动。',
  },
  repairNotOurs: {
    en: 'repair does not mend this; see songhua doctor. Records of a gateway come back by songhua restore.',
    zh: 'repair 无法修复此项；请见 songhua doctor。网关的记录须用 songhua restore 恢复。',
  },
  repairLeft: { en: 'something is left that repair does not mend: {codes}', zh: '仍有 repair 无法修复的问题：{codes}' },
  repairNeedsGenesis: { en: 'the genesis file cannot be used: {reason}; put it back first', zh: '创世文件无法使用：{reason}；请先放回' },
  repairRefused: {
    en: '{code}: {message}; this is nothing that moving files mends, and nothing was changed',
    zh: '{code}：{message}；移动文件无法修复此问题，未作任何改动',
  },
  repairRunning: { en: '{url}: a node runs on this folder; stop it first', zh: '{url}：该目录的节点正在运行；请先停止' },
  repairPlanned: { en: 'nothing was changed; to do it: --yes ({count} steps)', zh: '未作任何改动；执行请加 --yes（{count} 步）' },
  endSilencePlanned: { en: 'nothing was changed; to do it: --yes', zh: '未作任何改动；执行请加 --yes' },
  repairStore: {
    en: 'the store goes to {aside}; the node fetches the chain from its peers. See first that another node has it.',
    zh: '数据库移至 {aside}；节点将从对等节点重新同步。请先确认其他节点拥有该链。',
  },
  repairLog: {
    en: 'the consensus log goes to {aside}; the validator keeps silent until it may vote again (H + 3).',
    zh: '共识日志移至 {aside}；验证者在可以安全投票之前（H + 3）保持静默。',
  },
  repairJournal: {
    en: 'a copy of the journal goes to {aside}; every transaction that can be read stays in {path}.',
    zh: '日志副本存至 {aside}；所有可读交易仍保留在 {path}。',
  },
  repairDone: { en: 'Done. Next: songhua start --data {path}', zh: '已完成。下一步：songhua start --data {path}' },
  apiKeysLocked: {
    en: 'file of API keys {path}: another program changes it; try again, and remove {lock} if none does',
    zh: 'API 密钥文件 {path}：正被另一程序修改；请重试，若并无其他程序则删除 {lock}',
  },
  apiKeyCreated: {
    en: 'API key {id}. It is shown only now; keep it like a password:',
    zh: 'API 密钥 {id}。仅显示这一次，请像口令一样保管：',
  },
  apiKeysNone: { en: 'no API keys in {path}', zh: '{path} 中没有 API 密钥' },
  apiKeyRevoked: { en: 'revoked', zh: '已吊销' },
  apiKeyName: { en: 'name', zh: '名称' },
  apiKeyIssuer: { en: 'issuer', zh: '机构' },
  apiKeyScopes: { en: 'scopes', zh: '权限' },
  apiKeyAccount: { en: 'account', zh: '账户' },
  apiKeyCreatedAt: { en: 'created', zh: '创建时间' },
  apiKeyRevokedAt: { en: 'revoked', zh: '吊销时间' },
  rpcUnreachable: { en: '{url}: no answer ({reason})', zh: '{url}：无应答（{reason}）' },
  rpcNotJson: { en: '{url}: answered with something that is not JSON-RPC', zh: '{url}：应答不是 JSON-RPC' },
  rpcError: { en: '{url}: {method} answered {code}: {message}', zh: '{url}：{method} 返回 {code}：{message}' },
  statusPaused: { en: 'the node waits: {code}: {message}', zh: '节点正在等待：{code}：{message}' },
  statusChain: { en: 'chain', zh: '链' },
  statusHeight: { en: 'height', zh: '高度' },
  statusHash: { en: 'block hash', zh: '区块哈希' },
  statusTime: { en: 'block time', zh: '区块时间' },
  statusPeers: { en: 'peers', zh: '对等节点' },
  statusSyncing: { en: 'syncing', zh: '同步' },
  statusNot: { en: 'no', zh: '否' },
  statusValidators: { en: 'validators', zh: '验证者' },
  statusProposed: { en: 'proposed', zh: '出块数' },
  statusLast: { en: 'last block', zh: '最近出块' },
  statusVersion: { en: 'version', zh: '版本' },
  statusConsensus: { en: 'consensus', zh: '共识' },
  statusRound: { en: 'height {height}, round {round}: {state}', zh: '高度 {height}，轮次 {round}：{state}' },
  statusVotes: { en: 'votes', zh: '参与投票' },
  statusSilent: { en: 'silent; songhua doctor says why', zh: '静默；运行 songhua doctor 查看原因' },
  statusFollows: { en: 'follows', zh: '只同步' },
  statusGatewayDown: { en: '{url} is down; see the log', zh: '{url} 已停止，请查看日志' },
  statusStopped: { en: 'stopped', zh: '已停止' },
} as const satisfies Record<string, { en: string; zh: string }>

export type Language = 'en' | 'zh'
export type MessageKey = keyof typeof MESSAGES
export type Translate = (key: MessageKey, values?: Record<string, string | number>) => string

export function createTranslator(language: Language): Translate {
  return (key, values = {}) =>
    MESSAGES[key][language].replace(/\{(\w+)\}/g, (whole, name: string) =>
      name in values ? String(values[name]) : whole,
    )
}

/** `--lang` wins; else the locale, Chinese when it says `zh`. @returns undefined for a bad `--lang` */
export function languageOf(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Language | undefined {
  const index = argv.findIndex((word) => word === '--lang' || word.startsWith('--lang='))
  if (index >= 0) {
    const word = argv[index] ?? ''
    const value = word === '--lang' ? argv[index + 1] : word.slice('--lang='.length)
    return value === 'en' || value === 'zh' ? value : undefined
  }
  const locale = environment.LC_ALL || environment.LC_MESSAGES || environment.LANG || ''
  return locale.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}
