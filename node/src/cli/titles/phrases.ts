/**
 * What the layers below say in one English sentence, without a code: its Chinese, `$1` and so on being the values in it.
 * What is not listed stays English.
 */
export type Phrase = readonly [english: RegExp, zh: string]

/** @returns undefined when none of them is the whole text */
export function phraseOf(phrases: readonly Phrase[], text: string): string | undefined {
  const found = phrases.find(([english]) => english.test(text))
  return found === undefined ? undefined : text.replace(...found)
}

/** Why a validator keeps silent. */
export const SILENCE_PHRASES: readonly Phrase[] = [
  [/^the consensus log is of another key, that of nobody known$/, '共识日志属于未知的另一私钥'],
  [/^the consensus log is of another key, that of (\S+)$/, '共识日志属于另一私钥 $1'],
  [/^the consensus log is missing, the store is at block (\d+)$/, '共识日志缺失，链数据库位于区块 $1'],
  [/^the consensus log is damaged, the store is at block (\d+)$/, '共识日志已损坏，链数据库位于区块 $1'],
  [/^the consensus log is fresh, the store is at block (\d+)$/, '共识日志是新建的，链数据库位于区块 $1'],
  [/^the consensus log is damaged$/, '共识日志已损坏'],
  [/^the consensus log is unreadable: (.*)$/s, '共识日志无法读取：$1'],
  [/^the consensus log names no height$/, '共识日志未载明高度'],
  [/^the consensus log is at height (\d+), the store at block (\d+): the log is an old copy$/, '共识日志位于高度 $1，链数据库位于区块 $2：日志是旧副本'],
  [/^the consensus log is at height (\d+), the store at block (\d+): the store is an old copy$/, '共识日志位于高度 $1，链数据库位于区块 $2：数据库是旧副本'],
  [/^the consensus log was lost before, and the chain has not passed that point yet$/, '共识日志曾丢失，链尚未越过当时的位置'],
]

/** Why a repair moves a part of the folder aside. */
export const REPAIR_PHRASES: readonly Phrase[] = [...SILENCE_PHRASES, [/^(\d+) bytes cannot be read$/, '$1 字节无法读取']]

/** What is wrong with a usage statement, or was not checked. */
export const USAGE_PHRASES: readonly Phrase[] = [
  [/^nobody has signed it$/, '无人签名'],
  [/^it is not by the key of the signer$/, '不是由出具节点的私钥作出'],
  [/^no node was asked$/, '未指定节点，加 --rpc 可核验'],
  [/^the node is of another chain$/, '节点属于另一条链'],
  [/^the node's chain begins with (\S+)$/, '节点所在链的创世区块为 $1'],
  [/^the register had (.*)$/s, '登记合约中为 $1'],
  [/^total of organisations: the parts do not add up$/, '各机构的分项之和与合计不符'],
  [/^total of applications: the parts do not add up$/, '各应用的分项之和与合计不符'],
  [/^organisations (\S+), accounts: the parts do not add up$/, '机构 $1 各账户的分项之和与合计不符'],
  [/^organisations (\S+), applications: the parts do not add up$/, '机构 $1 各应用的分项之和与合计不符'],
  [/^newcomers, accounts: the parts do not add up$/, '未绑定机构的各账户的分项之和与合计不符'],
  [/^newcomers, applications: the parts do not add up$/, '未绑定机构的账户的各应用分项之和与合计不符'],
  [/^(\S+): the statement has (.*), the chain (.*)$/s, '$1：清单为 $2，链上为 $3'],
]
