/** Something that other brokers got wrong in a way that broke clients. */
export interface Trap {
  readonly number: number;
  /** What is right. */
  readonly rule: string;
  /** Why no test names it yet; the feature that it belongs to is not advertised. */
  readonly later?: string;
}

const transactions = "transactions are not advertised";

const rules: readonly (string | readonly [rule: string, later: string])[] = [
  "an ApiVersions request of an unknown version is answered in version 0 with error 35 and the list",
  "the ApiVersions response header never has tags, its body from v3 on does",
  "client ids may be null, unknown tags are skipped everywhere",
  "answers leave in the order of the requests",
  "acks=0 gets no answer, and a closed connection for an error",
  "Produce is advertised from version 0 on",
  "JoinGroup is advertised from version 0 on",
  "Fetch reaches version 12",
  "an unserved version of any other API closes the connection",
  "features whose minimum is 0 stay out of ApiVersions below v4",
  "transaction.version 2 is told only with its semantics",
  "the advertised address is one that clients reach, in both families",
  "Metadata: null and empty lists, a live controller, ids and defaults",
  "automatic topics: told as unknown first, made once, never of an impossible name",
  "base offset and leader epoch are stamped outside the checksum, LogAppendTime renews it",
  "one whole v2 batch for each partition, counts and checksum right",
  "max.message.bytes and segment.bytes bound a batch",
  "a compacted topic refuses records without a key, one by one",
  "five batches of each producer are remembered, duplicates answered with their first offset",
  "an unknown producer begins anywhere, a new epoch at 0",
  "producer ids expire by their own config",
  "producer state survives a restart",
  "compressed batches pass as they are; zstd only for versions that know it; a topic's own codec acts",
  "wrong acks, unknown topics and the broker's own topics are refused",
  "keys, values and headers are kept byte for byte",
  "a fetch returns the whole batch that holds its offset",
  "the first batch comes whatever its size",
  "a batch is never cut",
  "a fetch at the end waits, one outside the log is out of range",
  "fetch sessions are right or not there",
  "topic ids: unknown and changed ones have errors of their own, a new topic has a new id",
  "an empty partition has empty records and all its offsets",
  "read_committed ends at the last stable offset, with the aborted transactions",
  "read_uncommitted shows everything",
  "ListOffsets: special timestamps, and times found inside batches",
  "ListOffsets tells the leader epoch of what it found",
  "OffsetForLeaderEpoch: where an epoch ended",
  "a current leader epoch fences, and epochs never go back",
  "DeleteRecords moves the start of the log",
  "MEMBER_ID_REQUIRED from JoinGroup v4 on, and not before",
  "member ids begin with the client's or the instance's name",
  "only the leader gets the members; rejoining has its rules",
  "SyncGroup waits for the leader, concurrent joins lose nobody",
  "the initial delay, and session timeouts within bounds",
  "static members come back without a rebalance, their old self is fenced",
  "who may commit, and that metadata and epochs come back",
  "OffsetFetch: unknown is -1 and no error, null asks for all, groups in batches",
  "FindCoordinator: one or many keys, and an answer at last",
  "DescribeGroups, ListGroups, DeleteGroups by version",
  "offsets expire only from groups that are empty",
  "cooperative rebalances follow each other fast",
  ["groups of KIP-848", "ConsumerGroupHeartbeat is not advertised"],
  ["InitProducerId with a transactional id", transactions],
  ["EndTxn and its errors", transactions],
  ["AddPartitionsToTxn, and produce outside of a transaction", transactions],
  ["offsets of a transaction", transactions],
  "control batches have Kafka's bytes",
  ["transactions of version 2", transactions],
  "DescribeConfigs tells every config with default, source and type",
  "AlterConfigs replaces all, IncrementalAlterConfigs changes one by one",
  "CreateTopics: defaults, validation, duplicates, visible once answered",
  "CreatePartitions and DeleteTopics: one result for each topic",
  "topic names have an alphabet, and may not look alike in metrics",
  ["quotas throttle by muting", "quotas are not there; throttle times are 0"],
  ["SASL", "only PLAINTEXT listeners are served"],
  "errors are ones that the API's clients expect, never UNKNOWN_SERVER_ERROR",
  "what user interfaces ask for at once is served",
  "what is optional and not there is not advertised",
  "frames that are too long, too short or never complete, and idle peers",
  "old formats are neither taken nor given",
];

/** All of them, numbered from 1. */
export const traps: readonly Trap[] = rules.map((entry, index) => {
  const [rule, later] = typeof entry === "string" ? [entry] : entry;
  return { number: index + 1, rule, ...(later === undefined ? {} : { later }) };
});
