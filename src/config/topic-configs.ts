import {
  boolean,
  type ConfigDefinition,
  double,
  int,
  list,
  long,
  longMax,
  string,
  tableOf,
  withUpdateMode,
} from "./definition.ts";
import { atLeast, between, betweenOr, itemsOf, oneOf, throttledReplicas } from "./validator.ts";

/** Every config of a topic, by name. */
export const topicConfigs: ReadonlyMap<string, ConfigDefinition> = tableOf(
  withUpdateMode("topic", [
    list("cleanup.policy", "delete", {
      validator: itemsOf("compact", "delete"),
      synonyms: ["log.cleanup.policy"],
      does: "What becomes of old segments: they are deleted, compacted by key, or both.",
    }),
    int("compression.gzip.level", -1, {
      validator: betweenOr({ min: 1, max: 9, or: -1 }),
      synonyms: ["compression.gzip.level"],
    }),
    int("compression.lz4.level", 9, { validator: between(1, 17), synonyms: ["compression.lz4.level"] }),
    string("compression.type", "producer", {
      validator: oneOf("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
      synonyms: ["compression.type"],
    }),
    int("compression.zstd.level", 3, {
      validator: between(-131_072, 22),
      synonyms: ["compression.zstd.level"],
    }),
    long("delete.retention.ms", 86_400_000, {
      validator: atLeast(0),
      synonyms: ["log.cleaner.delete.retention.ms"],
      does: "How long a tombstone can be read after its first compaction.",
    }),
    long("file.delete.delay.ms", 60000, { validator: atLeast(0), synonyms: ["log.segment.delete.delay.ms"] }),
    long("flush.messages", longMax, { validator: atLeast(1), synonyms: ["log.flush.interval.messages"] }),
    long("flush.ms", longMax, {
      validator: atLeast(0),
      synonyms: ["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
    }),
    list("follower.replication.throttled.replicas", "", { validator: throttledReplicas }),
    int("index.interval.bytes", 4096, {
      validator: atLeast(0),
      synonyms: ["log.index.interval.bytes"],
      does: "Bytes of batches between two entries of the offset index.",
    }),
    int("internal.segment.bytes", null, {
      internal: true,
      does: "Overrides segment.bytes without its lower bound: for tests.",
    }),
    list("leader.replication.throttled.replicas", "", { validator: throttledReplicas }),
    long("local.retention.bytes", -2, { validator: atLeast(-2), synonyms: ["log.local.retention.bytes"] }),
    long("local.retention.ms", -2, { validator: atLeast(-2), synonyms: ["log.local.retention.ms"] }),
    long("max.compaction.lag.ms", longMax, {
      validator: atLeast(1),
      synonyms: ["log.cleaner.max.compaction.lag.ms"],
      does: "Age at which a record is compacted whatever the dirty ratio; segments are sealed by then.",
    }),
    int("max.message.bytes", 1_048_588, {
      validator: atLeast(0),
      synonyms: ["message.max.bytes"],
      does: "The largest record batch that a produce may carry, as compressed by the producer.",
    }),
    long("message.timestamp.after.max.ms", 3_600_000, {
      validator: atLeast(0),
      synonyms: ["log.message.timestamp.after.max.ms"],
      does: "How far a record's timestamp may lie in the broker's future.",
    }),
    long("message.timestamp.before.max.ms", longMax, {
      validator: atLeast(0),
      synonyms: ["log.message.timestamp.before.max.ms"],
      does: "How far a record's timestamp may lie in the broker's past.",
    }),
    string("message.timestamp.type", "CreateTime", {
      validator: oneOf("CreateTime", "LogAppendTime"),
      synonyms: ["log.message.timestamp.type"],
      does: "Whether batches keep the producer's timestamps or get the time of their append.",
    }),
    double("min.cleanable.dirty.ratio", 0.5, {
      validator: between(0, 1),
      synonyms: ["log.cleaner.min.cleanable.ratio"],
      does: "Share of bytes not yet compacted, among those that could be, above which a log is compacted.",
    }),
    long("min.compaction.lag.ms", 0, {
      validator: atLeast(0),
      synonyms: ["log.cleaner.min.compaction.lag.ms"],
      does: "Age below which records are not compacted.",
    }),
    int("min.insync.replicas", 1, {
      validator: atLeast(1),
      synonyms: ["min.insync.replicas"],
      does: "How many replicas must hold a batch before a produce with acks=all is answered.",
    }),
    boolean("preallocate", false, { synonyms: ["log.preallocate"] }),
    boolean("remote.log.copy.disable", false),
    boolean("remote.log.delete.on.disable", false),
    boolean("remote.storage.enable", false),
    long("retention.bytes", -1, {
      synonyms: ["log.retention.bytes"],
      does: "Size of a partition past which its oldest segments are deleted; -1 for no limit.",
    }),
    long("retention.ms", 604_800_000, {
      validator: atLeast(-1),
      synonyms: ["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
      does: "Age past which segments are deleted; -1 for never.",
    }),
    int("segment.bytes", 1_073_741_824, {
      validator: atLeast(1_048_576),
      synonyms: ["log.segment.bytes"],
      does: "Size at which a segment is sealed and the next one is begun.",
    }),
    int("segment.index.bytes", 10_485_760, {
      validator: atLeast(4),
      synonyms: ["log.index.size.max.bytes"],
      does: "Size of the offset index at which a segment is sealed.",
    }),
    long("segment.jitter.ms", 0, {
      validator: atLeast(0),
      synonyms: ["log.roll.jitter.ms", "log.roll.jitter.hours"],
      does: "Random part by which segment.ms is shortened, so that partitions do not roll together.",
    }),
    long("segment.ms", 604_800_000, {
      validator: atLeast(1),
      synonyms: ["log.roll.ms", "log.roll.hours"],
      does: "Age at which a segment is sealed even if it is not full.",
    }),
    boolean("unclean.leader.election.enable", false, { synonyms: ["unclean.leader.election.enable"] }),
  ]),
);
