import { type Finding, type FindingCode, NOT_KNOWN } from '../app/finding.js'
import type { Language } from './messages.js'
import { valuesIn } from './titles/finding-values.js'

/** What each finding of `songhua doctor` says: what is so, why, and what to do. `{name}` is filled in from its values. */
interface FindingText {
  readonly what: string
  readonly why: string
  readonly todo: string
  /** Instead of `todo`, when errors stand above it that must be mended first. */
  readonly todoLater?: string
}

type Texts = Readonly<Record<Language, FindingText>>

const text = (what: string, why: string, todo: string): FindingText => ({ what, why, todo })

export const FINDING_TEXTS: Readonly<Record<FindingCode, Texts>> = {
  KEY_UNUSABLE: {
    en: text('The node key cannot be used: {message}', '{code}: without its key the node does not start.', 'Put the key file back ({path}), or name it with --key-file; the password with --key-password-file.'),
    zh: text('节点私钥无法使用：{message}', '{code}：没有私钥，节点无法启动。', '请将私钥文件放回 {path}，或用 --key-file 指定；口令用 --key-password-file 指定。'),
  },
  KEY_OPEN: {
    en: text('Others than its owner may read the key file {path}.', 'Whoever reads the key can sign as this node.', 'chmod 600 {path}'),
    zh: text('私钥文件 {path} 可被所有者以外的用户读取。', '任何读到私钥的人都可冒充本节点签名。', '运行 chmod 600 {path}'),
  },
  GENESIS_UNUSABLE: {
    en: text('The genesis file cannot be used: {message}', '{code}: the node does not know which chain it belongs to.', 'Copy the genesis file of another node of this chain, bit for bit.'),
    zh: text('创世文件无法使用：{message}', '{code}：节点无法确定所属的链。', '请从本链的其他节点逐字节复制创世文件。'),
  },
  RIGHTS: {
    en: text('This user may not read {path}: {message}', '{code}: started as another user (root, perhaps), songhua or a copy left files that are not of the user who runs the node.', 'ls -l {path}; give it to the user who runs the node (chown -R USER of the data folder), and run songhua as that user.'),
    zh: text('当前用户无权读取 {path}：{message}', '{code}：可能曾以其他用户（如 root）运行 songhua 或复制文件，留下了不属于节点用户的文件。', '运行 ls -l {path} 查看；将数据目录交还节点用户（chown -R 用户 数据目录），并以该用户运行 songhua。'),
  },
  DISK_FULL: {
    en: text('The disk of {path} is full: {freeGb} GB free.', 'Below {neededGb} GB the node stops before a write fails.', 'Make room, or move the data folder to a larger disk.'),
    zh: text('{path} 所在磁盘已满：剩余 {freeGb} GB。', '低于 {neededGb} GB 时节点会在写入失败之前停止。', '请清理磁盘，或将数据目录移至更大的磁盘。'),
  },
  DISK_NEARLY_FULL: {
    en: text('The disk of {path} is nearly full: {freeGb} GB free.', 'Below {neededGb} GB the node stops.', 'Make room soon.'),
    zh: text('{path} 所在磁盘即将写满：剩余 {freeGb} GB。', '低于 {neededGb} GB 时节点将停止。', '请尽快清理磁盘。'),
  },
  DISK_SLOW: {
    en: text('The disk is slow: half of the votes take {p50Ms} ms to be safe, one of a hundred {p99Ms} ms; the last {lastMs} ms.', 'A vote is on disk before it is sent, so every block waits for it.', 'Give the data folder a disk of its own; look for backups, scrubs or neighbours that use it. A good disk takes less than 1 ms.'),
    zh: text('磁盘缓慢：落盘耗时中位数 {p50Ms} ms，百分之一超过 {p99Ms} ms；最近一次 {lastMs} ms。', '投票须先落盘再发送，因此每个区块都要等待磁盘。', '请为数据目录配备独立磁盘，并检查备份、巡检或其他程序的占用。良好的磁盘低于 1 ms。'),
  },
  STORE_DAMAGED: {
    en: text('The chain store is damaged: {message}', '{code}: what is damaged is never answered or built upon.', 'Run songhua repair --data {data} --yes: it moves the store aside and the node fetches the chain from its peers. Check the disk.'),
    zh: text('链数据库已损坏：{message}', '{code}：损坏的数据不会被用于应答或出块。', '请运行 songhua repair --data {data} --yes：它会将数据库移到一旁，节点随后从对等节点重新同步。请检查磁盘。'),
  },
  STORE_LOCKED: {
    en: text('Another process has the data folder open: {folder}', 'The admin port of this folder\'s configuration does not answer, so it is a node that was started with other ports, or one that hangs.', 'If it was started with another --admin-port: songhua doctor --data {data} --admin http://127.0.0.1:PORT. Otherwise find it (fuser {folder}/LOCK) and end it.'),
    zh: text('数据目录已被其他进程打开：{folder}', '该目录配置的管理端口无应答，说明是以其他端口启动的节点，或已失去响应。', '若以其他 --admin-port 启动：songhua doctor --data {data} --admin http://127.0.0.1:端口。否则请找到该进程（fuser {folder}/LOCK）并结束它。'),
  },
  STORE_OTHER_CHAIN: {
    en: text('The data folder holds another chain than the genesis file: {message}', 'The genesis file was replaced, or the folder belongs to another network.', 'Put the right genesis file back, or use a new data folder.'),
    zh: text('数据目录与创世文件不属于同一条链：{message}', '创世文件被替换，或该目录属于另一网络。', '请放回正确的创世文件，或使用新的数据目录。'),
  },
  STORE_REFUSED: {
    en: text('The chain store cannot be opened: {message}', '{code}', 'Do what the message says, then run songhua doctor --data {data} again.'),
    zh: text('链数据库无法打开：{message}', '{code}', '请按提示处理，然后再次运行 songhua doctor --data {data}。'),
  },
  LOG_LOST: {
    en: text('The consensus log is {status}: this validator keeps silent.', 'It does not know what it has signed ({reason}). It votes again at H + 3, H being the highest head that a quorum named after its start.', 'Make sure that this key runs nowhere else, then let it run: it follows the chain and votes by itself, unless more than a third are silent. A damaged file goes aside with songhua repair --data {data} --yes. Never copy a consensus log from a backup or another node.'),
    zh: text('共识日志{status}：本验证者保持静默。', '它无法得知自己签过什么（{reason}）。自启动后法定多数所报最高高度 H 起，到 H + 3 恢复投票。', '请先确认此私钥没有在别处运行，然后让其运行：它会继续同步并自动恢复投票，除非超过三分之一的验证者静默。损坏的文件可用 songhua repair --data {data} --yes 移开。切勿从备份或其他节点复制共识日志。'),
  },
  LOG_SILENT: {
    en: text('This validator keeps silent: {reason}.', 'Its log and its store do not belong to the same moment, so it may have signed what it does not remember.', 'Let it run: it follows the chain and votes again by itself from H + 3 on, unless more than a third are silent.'),
    zh: text('本验证者保持静默：{reason}。', '共识日志与链数据库不属于同一时刻，可能签过已不记得的内容。', '请让其运行：它会继续同步，并从 H + 3 起自动恢复投票，除非超过三分之一的验证者静默。'),
  },
  LOG_FOREIGN: {
    en: text('The consensus log is of another key: this validator keeps silent.', '{path} is of {owner}, the key here is of {address}. What this key has signed elsewhere, the log does not know.', 'If another node has this key, stop one of the two and put the right key file back: one key in two places signs two things. If the key was changed on purpose, let it run: it votes from H + 3 on by itself.'),
    zh: text('共识日志属于另一私钥：本验证者保持静默。', '{path} 属于 {owner}，而此处私钥属于 {address}。该私钥在别处签过什么，此日志无从得知。', '若另有节点使用此私钥，请停止其中之一并放回正确的私钥文件：同一私钥在两处运行会签出相互矛盾的内容。若是有意更换私钥，请让其运行：它会从 H + 3 起自动恢复投票。'),
  },
  LOG_HALVED: {
    en: text('One of the two copies was bad in part of the consensus log (records: {records}): {path}', 'Nothing is lost: each record is there twice. A power failure cut off the last write, or the disk loses what it was given.', 'Nothing at once after a power failure; the start makes both copies whole. Otherwise check the disk (smartctl): one more fault silences this validator.'),
    zh: text('共识日志中部分记录的两份副本之一已损坏（记录数：{records}）：{path}', '没有丢失：每条记录均保存两份。可能是断电中断了末尾写入，也可能是磁盘丢失数据。', '若刚断过电则无需处理，启动时会补全两份副本；否则请检查磁盘（smartctl）：再有一处故障将使本验证者静默。'),
  },
  LOG_REFUSED: {
    en: text('The consensus log cannot be used: {message}', '{code}: the node does not start with it.', 'Do what the message says, then run songhua doctor --data {data} again. Do not delete {path}: without it the validator keeps silent.'),
    zh: text('共识日志无法使用：{message}', '{code}：节点无法以此启动。', '请按提示处理，然后再次运行 songhua doctor --data {data}。请勿删除 {path}：没有它，验证者将保持静默。'),
  },
  JOURNAL_MISSING: {
    en: text('The transaction journal is missing: {path}', 'The first start makes it, so this one was lost, and with it the transactions that it alone held.', 'Put it back if it was moved. Otherwise start: the other nodes still have what was sent on; whoever waits for a transaction sends it again.'),
    zh: text('交易日志缺失：{path}', '该文件在首次启动时建立，因此是后来丢失的；仅存于其中的交易也随之丢失。', '若只是被移走请放回。否则请直接启动：已转发的交易其他节点仍持有；仍在等待的客户端须重新发送。'),
  },
  GATEWAY_DAMAGED: {
    en: text('The gateway\'s folders are not whole: {message}', '{code}: the gateway does not start with them; the node and the chain go on without it.', 'songhua restore brings back the last backup (README, "At night", names each code). songhua repair moves nothing of a gateway: no peer has these records.'),
    zh: text('网关目录不完整：{message}', '{code}：网关无法以此启动；节点与链不受影响。', '请用 songhua restore 恢复最近的备份（README 的 "At night" 表列出各代码）。songhua repair 不移动网关数据：其他节点没有这些记录。'),
  },
  GATEWAY_DOWN: {
    en: text('The gateway is down: {message}', '{code}; it was started again {restarts} times. No record is taken meanwhile; the node and the chain go on.', 'Look {code} up in the README ("At night"), and in the log of the node. It is tried again at least once a minute.'),
    zh: text('网关已停止：{message}', '{code}；已重新启动 {restarts} 次。其间不接收记录；节点与链不受影响。', '请在 README（"At night"）与节点日志中查找 {code}。系统至少每分钟重试一次。'),
  },
  FOLDER_SOUND: {
    en: text('Read and found whole: {blocks} blocks with {transactions} transactions in {files} files, and {records} records of the gateway.', 'Every file and every block was read; nothing was executed again.', 'Nothing.'),
    zh: text('已读取且完好：{blocks} 个区块、{transactions} 笔交易、{files} 个文件，以及网关的 {records} 条记录。', '已读取全部文件与区块；未重新执行交易。', '无需处理。'),
  },
  JOURNAL_DAMAGED: {
    en: text('{droppedBytes} bytes of the transaction journal cannot be read: {path}', 'The end of a write that a crash cut off, or damage. What follows damage is still read.', 'Nothing is needed after a crash. songhua repair --data {data} --yes sets the old file aside and keeps every transaction that can be read.'),
    zh: text('交易日志有 {droppedBytes} 字节无法读取：{path}', '可能是崩溃中断的末尾写入，也可能是损坏；损坏之后的记录仍会读取。', '若刚崩溃过则无需处理。songhua repair --data {data} --yes 会将旧文件移开，并保留所有可读交易。'),
  },
  JOURNAL_REFUSED: {
    en: text('The transaction journal cannot be used: {message}', '{code}: the node does not start with it.', 'songhua repair --data {data} --yes sets the file aside and keeps every transaction that can be read.'),
    zh: text('交易日志无法使用：{message}', '{code}：节点无法以此启动。', 'songhua repair --data {data} --yes 会将该文件移开，并保留所有可读交易。'),
  },
  PORT_TAKEN: {
    en: text('Port {port} ({use}) is taken by another program.', 'The node cannot listen there and does not start.', 'End that program, or give the node another port in songhua.json.'),
    zh: text('端口 {port}（{use}）被其他程序占用。', '节点无法监听该端口，因而无法启动。', '请结束占用程序，或在 songhua.json 中改用其他端口。'),
  },
  NODE_PAUSED: {
    en: text('The node waits: {message}', '{code}', 'Remove the cause; the node goes on by itself.'),
    zh: text('节点正在等待：{message}', '{code}', '请消除原因；节点会自动恢复运行。'),
  },
  NODE_STOPPED: {
    en: {
      ...text('The node does not run; its last block: {head}.', 'Nobody answers at its admin port.', 'songhua start --data {data}'),
      todoLater: 'Mend first what stands above; then: songhua start --data {data}',
    },
    zh: {
      ...text('节点未运行；最后区块：{head}。', '管理端口无应答。', '请运行 songhua start --data {data}'),
      todoLater: '请先处理上述问题，然后运行 songhua start --data {data}',
    },
  },
  CONSENSUS_STOPPED: {
    en: text('Consensus has stopped in this node.', 'A broken invariant or a failed disk; the log of the node names it.', 'Look for "consensus has stopped" in the log, then restart the node.'),
    zh: text('本节点的共识已停止。', '不变量被破坏或磁盘故障；节点日志中有说明。', '请在日志中查找 "consensus has stopped"，然后重启节点。'),
  },
  PROTOCOL_TOO_OLD: {
    en: text('Block {height} needs protocol version {needed}; this program knows up to {max}. The node only reads now.', 'From that height on the chain has rules that this program does not know, so it neither votes nor imports: what it has stays readable.', 'Install a songhua that knows version {needed} and start it on the same data folder: it goes on with block {height}.'),
    zh: text('区块 {height} 需要协议版本 {needed}；本程序最高支持 {max}。节点现仅可读取。', '自该高度起链采用本程序不了解的规则，因此不再投票或导入区块；已有数据仍可读取。', '请安装支持版本 {needed} 的 songhua，并用同一数据目录启动：节点将从区块 {height} 继续。'),
  },
  PROTOCOL_AHEAD: {
    en: text('Upgrade this node before block {height}, about {about} from now: the chain will need protocol version {version}, and this program knows up to {max}.', 'The change is scheduled on the chain and {blocks} blocks ahead. At that height a node with this program stops voting and importing; when the chain is busier than of late, that is sooner.', 'Install a songhua that knows version {version} and restart the node; validators one after another, so that a quorum stays.'),
    zh: text('请在区块 {height} 之前升级本节点（约 {about} 之后）：届时链需要协议版本 {version}，本程序最高支持 {max}。', '该变更已在链上排定，距今 {blocks} 个区块。到达该高度后，使用本程序的节点将停止投票和导入；若链比近期繁忙，时间会提前。', '请安装支持版本 {version} 的 songhua 并重启节点；验证者应逐个升级，以保持法定多数。'),
  },
  IMPORT_FAILS: {
    en: text('A block that a quorum has sealed cannot be imported: {message}', '{code}: the others agree on it, so this node\'s state or program is not theirs.', 'Compare songhua version with the other nodes; then stop the node, run songhua doctor --data {data} --deep and songhua repair --data {data} --yes.'),
    zh: text('法定多数已封印的区块无法导入：{message}', '{code}：其他节点均认可该区块，因此是本节点的状态或程序与之不同。', '请与其他节点比对 songhua version；然后停止节点，运行 songhua doctor --data {data} --deep 和 songhua repair --data {data} --yes。'),
  },
  EQUIVOCATION: {
    en: text('Validator {validator} signed two things: its key runs in two places.', 'Two different {kind} messages of height {height}, round {round}, the last {agoS} s ago. It may also be hostile, or have been started from an old copy of its folder.', 'Ask its operator to stop one of the two at once; the other is to keep its own consensus.log. As long as no more than a third do this, the chain is safe. A restart of this node forgets the finding.'),
    zh: text('验证者 {validator} 签署了相互矛盾的内容：其私钥在两处运行。', '高度 {height}、轮次 {round} 有两个不同的 {kind} 消息，最近一次在 {agoS} 秒前。也可能是恶意行为，或由其目录的旧副本启动。', '请其运营方立即停止其中之一；另一个保留自己的 consensus.log。只要不超过三分之一的验证者如此，链就是安全的。重启本节点后此项不再显示。'),
  },
  KEY_ELSEWHERE: {
    en: text('Another node runs with the key of this one.', 'Block {height} names {address} as its proposer, and this node did not propose it ({agoS} s ago).', 'Stop one of the two at once and give it a key of its own: one key in two places signs two things, and the others then count this validator as faulty.'),
    zh: text('另有节点使用与本节点相同的私钥。', '区块 {height} 的提议者为 {address}，但并非由本节点提议（{agoS} 秒前）。', '请立即停止其中之一，并为其配置独立私钥：同一私钥在两处运行会签出相互矛盾的内容，其他节点将视本验证者为故障节点。'),
  },
  WRONG_GENESIS: {
    en: text('Peers of another chain ({count}): {reason}', 'This node or they have another genesis file. Peers: {peers}', 'Compare genesis.json with that of a node of the chain, bit for bit (sha256sum).'),
    zh: text('{count} 个对等节点属于另一条链：{reason}', '本节点或对方的创世文件不同。对等节点：{peers}', '请与本链节点逐字节比对 genesis.json（sha256sum）。'),
  },
  PEER_TOO_OLD: {
    en: text('Peers of another protocol version ({count}): {reason}', 'One of the two programs is too old. Peers: {peers}', 'Update the older one.'),
    zh: text('{count} 个对等节点的协议版本不符：{reason}', '双方之一的程序过旧。对等节点：{peers}', '请更新较旧的一方。'),
  },
  NOT_ADMITTED: {
    en: text('Peers that do not admit this node ({count}): {reason}', 'Its key is not on the list of nodes that the council keeps on the chain. Peers: {peers}', 'Ask the council to add the public key of this node (songhua keys show).'),
    zh: text('{count} 个对等节点拒绝本节点：{reason}', '本节点的密钥不在链上理事会维护的节点名单中。对等节点：{peers}', '请联系理事会添加本节点公钥（songhua keys show）。'),
  },
  CLOSED_EARLY: {
    en: text('Peers that end the connection before a word ({count}): {reason}', 'They do not say why: the node may not be on their list, they may be starting or full, or another node with this key is connected to them. Peers: {peers}', 'Look into the log of one of them for the peer id of this node (songhua keys show); NOT_ADMITTED there: ask the council to add its public key.'),
    zh: text('对等节点未发一言即断开连接（数量：{count}）：{reason}', '对方未说明原因：本节点可能不在其名单中，对方可能正在启动或连接已满，也可能另有节点以同一私钥与其连接。对等节点：{peers}', '请在其中一个节点的日志中查找本节点的对等 ID（songhua keys show）；若为 NOT_ADMITTED，请联系理事会添加本节点公钥。'),
  },
  BANNED: {
    en: text('Peers that have banned this node for a while ({count}): {reason}', 'It sent what they took for misbehaviour. Peers: {peers}', 'Look at the log of one of them for the code, and compare versions.'),
    zh: text('{count} 个对等节点暂时封禁了本节点：{reason}', '本节点发送的内容被视为违规。对等节点：{peers}', '请在对方日志中查看代码，并比对版本。'),
  },
  BOOTNODE_ROTATED: {
    en: text('Bootnode {bootnode} has another key now: {peer}.', 'A node that the council has admitted answers at its address {address}: its key was rotated, or another node moved there.', 'Write {corrected} into p2p.bootnodes of songhua.json, once its operator confirms the key.'),
    zh: text('引导节点 {bootnode} 已更换密钥：{peer}。', '在其地址 {address} 应答的是理事会已接纳的节点：密钥已轮换，或另一节点迁至该地址。', '经其运营方确认密钥后，请在 songhua.json 的 p2p.bootnodes 中改为 {corrected}。'),
  },
  BOOTNODE_OTHER_KEY: {
    en: text('At the address of bootnode {bootnode} an unknown key answers: {peer}.', 'Nobody whom the list of this node names is at {address}: the key was rotated after the newest block here, the address belongs to somebody else now, or somebody stands in between. It is sent nothing.', 'Ask the operator of the bootnode for its address and key, and correct p2p.bootnodes of songhua.json.'),
    zh: text('在引导节点 {bootnode} 的地址应答的是未知密钥：{peer}。', '{address} 处的节点不在本节点的名单中：密钥可能在本节点最新区块之后轮换、地址已属他人，或有人居中冒充。本节点不向其发送任何内容。', '请向该引导节点运营方核实地址与密钥，并更正 songhua.json 的 p2p.bootnodes。'),
  },
  NO_PEERS: {
    en: text('No other node is connected.', 'None of its bootnodes answers, or none admits it ({validators} validators make this chain).', 'Check p2p.bootnodes in songhua.json, the firewall between the nodes, and whether the others run.'),
    zh: text('没有连接到任何其他节点。', '引导节点均无应答，或均不接纳本节点（本链有 {validators} 个验证者）。', '请检查 songhua.json 中的 p2p.bootnodes、节点之间的防火墙，以及其他节点是否运行。'),
  },
  NO_QUORUM: {
    en: text('{connected} of {validators} validators are here and {quorum} are needed: no block can be made. Last block {head}, {agoS} s ago.', 'More than {faults} are gone, and without a quorum nothing may be decided. Missing: {missing}', 'Start the missing validators, or mend the links to them. Nothing is lost; the chain goes on as soon as {quorum} are connected.'),
    zh: text('{validators} 个验证者中仅有 {connected} 个在线，需要 {quorum} 个：无法出块。最后区块 {head}，{agoS} 秒前。', '缺席者超过 {faults} 个；没有法定多数则不得裁定任何区块。缺席：{missing}', '请启动缺席的验证者或修复与其连接。数据没有丢失；达到 {quorum} 个后链自动继续。'),
  },
  VALIDATORS_MISSING: {
    en: text('{connected} of {validators} validators are connected; {quorum} are needed.', 'Not connected to this node: {missing}', 'Start them or mend the links: fewer than {quorum} that vote stop the chain, and who is connected may still be silent.'),
    zh: text('{validators} 个验证者中已连接 {connected} 个；需要 {quorum} 个。', '未与本节点连接：{missing}', '请启动它们或修复连接：参与投票者少于 {quorum} 个时链即停滞，而已连接者也可能处于静默。'),
  },
  CLOCK_OFF: {
    en: text('This machine\'s clock is {aheadMs} ms ahead of its peers (a minus sign: behind).', 'The middle of {peers} peers, measured with each ping. A block more than {limitMs} ms ahead is refused.', 'Start the time service (chrony, systemd-timesyncd) and check its source.'),
    zh: text('本机时钟比对等节点快 {aheadMs} ms（负数表示慢）。', '取 {peers} 个对等节点的中位数，随每次 ping 测得。超前 {limitMs} ms 以上的区块会被拒绝。', '请启动时间同步服务（chrony、systemd-timesyncd）并检查其时间源。'),
  },
  ROUNDS_DIVERGED: {
    en: text('The validators are in different rounds of height {height}: from {lowest} to {highest}, this node in {own}.', 'Messages between them are lost or late, so that their timers do not run together. Heard: {places}', 'Look for one-way links, full queues or a stopped process among them; they meet again when messages arrive.'),
    zh: text('各验证者在高度 {height} 处于不同轮次：{lowest} 至 {highest}，本节点在 {own}。', '彼此间的消息丢失或迟到，计时器无法同步。已听到：{places}', '请检查单向链路、队列拥塞或停滞的进程；消息恢复后各节点会重新汇合。'),
  },
  STALLED: {
    en: text('No block for {agoS} s: the chain stands at block {head}, round {round}.', 'Nothing that would stop it was found wrong here. Nothing of this height was heard from: {unheard}', 'Run songhua doctor on the other validators, those first from whom nothing was heard. If more than a third of all are silent (LOG_LOST, LOG_SILENT, LOG_FOREIGN), that does not end by itself: see "Silent validators" in the README, and songhua end-silence.'),
    zh: text('已 {agoS} 秒没有新区块：停在区块 {head}，轮次 {round}。', '本机未发现会使其停滞的问题。本高度未听到其消息者：{unheard}', '请在其他验证者（首先是未听到消息者）上运行 songhua doctor。若全体中超过三分之一处于静默（LOG_LOST、LOG_SILENT、LOG_FOREIGN），则不会自行结束：见 README 的 "Silent validators" 与 songhua end-silence。'),
  },
  NODE_EXCLUDED: {
    en: text('This node is {standing}: the others do not connect to it.', 'The register of nodes says so of {address} at the last block here.', 'Suspended: ask whoever did it, the council (motion reinstateNode) or the node\'s government body (songhua node reinstate). Retired: apply again with songhua apply node. songhua audit --node {address}, at another node, names who decided.'),
    zh: text('本节点已被{standing}：其他节点不与其连接。', '截至本机最后区块，节点登记簿对 {address} 如此记载。', '若被暂停：请联系作出决定的理事会（议案 reinstateNode）或节点的政府主体（songhua node reinstate）。若已退役：请用 songhua apply node 重新申请。在其他节点上运行 songhua audit --node {address} 可查看由谁决定。'),
  },
  VALIDATOR_FOLLOWS: {
    en: text('This node is a validator, but was started to follow: its vote is missing.', 'The set of validators names {address}; with --follow (in songhua.json: "follow": true) it signs nothing.', 'Take follow out of songhua.json, or leave --follow away, and restart the node.'),
    zh: text('本节点是验证者，却以只同步方式启动：缺少其投票。', '验证者集合中有 {address}；使用 --follow（songhua.json 中为 "follow": true）时不签署任何内容。', '请从 songhua.json 中删除 follow，或去掉 --follow，然后重启节点。'),
  },
  NOT_VALIDATOR: {
    en: text('This node follows the chain and does not vote.', '{address} is not among the validators. That is normal.', 'Nothing. To vote, the council must add it to the validators.'),
    zh: text('本节点只同步，不参与投票。', '{address} 不在验证者之列。属正常情况。', '无需处理。若要投票，须由理事会将其加入验证者。'),
  },
  SYNCING: {
    en: text('The node is syncing: block {current} of {highest}, {perSecond} blocks a second.', 'It was away or is new. Seconds left at this pace: {leftS}.', 'Wait.'),
    zh: text('节点正在同步：区块 {current} / {highest}，每秒 {perSecond} 个区块。', '它曾离线或为新节点。按此速度剩余秒数：{leftS}。', '请等待。'),
  },
  ADVANCING: {
    en: text('The chain advances: block {head}, {agoS} s ago.', 'Blocks are made when there are transactions.', 'Nothing.'),
    zh: text('链正常推进：区块 {head}，{agoS} 秒前。', '有交易时即出块。', '无需处理。'),
  },
  IDLE: {
    en: text('The chain is idle: block {head} was made {agoS} s ago; an empty block is due in {dueS} s.', 'No transaction waits. Blocks are made on demand, and now and then an empty one.', 'Nothing.'),
    zh: text('链处于空闲：区块 {head} 于 {agoS} 秒前产生；{dueS} 秒后将产生空块。', '没有待处理交易。区块按需产生，并定期产生空块。', '无需处理。'),
  },
}

/** Values that are words. */
const ZH_WORDS: Readonly<Partial<Record<string, string>>> = { missing: '缺失', damaged: '已损坏', suspended: '暂停', retired: '退役', [NOT_KNOWN]: '未知' }

/** The words of a finding in a language. */
export function explainFinding({ code, ...found }: Finding, language: Language): FindingText {
  const values = valuesIn(language, found.values)
  const said = (value: string | number): string => (language === 'zh' ? ZH_WORDS[String(value)] : undefined) ?? String(value)
  const fill = (words: string): string =>
    words.replace(/\{(\w+)\}/g, (whole, name: string) => (values[name] === undefined ? whole : said(values[name])))
  const { what, why, todo, todoLater } = FINDING_TEXTS[code][language]
  const advice = todoLater !== undefined && Number(values.others) > 0 ? todoLater : todo
  return { what: fill(what), why: fill(why), todo: fill(advice) }
}
