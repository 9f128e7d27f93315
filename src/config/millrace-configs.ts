import { boolean, type ConfigDefinition, int, long, string } from "./definition.ts";
import { atLeast, hostPortOrOff, oneOf } from "./validator.ts";

/** What an operator wants of a node; of one broker, and set at run time only (decision 18). */
export const nodeStateConfig = "millrace.node.state";

/** The few configs that Kafka has no name for. */
export const millraceConfigs: readonly ConfigDefinition[] = [
  long("millrace.cache.bytes", 67_108_864, {
    validator: atLeast(0),
    does: "Memory for recently written and read batches, shared by all partitions.",
  }),
  long("millrace.dirty.bytes.max", 33_554_432, {
    validator: atLeast(1_048_576),
    does: "Committed bytes that may wait for their segments; at the bound, produce waits.",
  }),
  string("millrace.http.listener", "127.0.0.1:9644", {
    validator: hostPortOrOff,
    does: "Where metrics and health are served over HTTP, or off; a default that another process uses is no error.",
  }),
  long("millrace.inflight.request.bytes.max", 268_435_456, {
    validator: atLeast(1024),
    does: "Bytes of requests in memory at which no further ones are read, where queued.max.request.bytes is unset.",
  }),
  int("millrace.journal.file.bytes", 67_108_864, {
    validator: atLeast(1_048_576),
    does: "Size of one file of the journal.",
  }),
  int("millrace.journal.files.max", 16, {
    validator: atLeast(4),
    does: "The most files of the journal, which bounds its size on disk and the time of a recovery.",
  }),
  string("millrace.log.level", "info", {
    validator: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
    does: "The least severe level that is logged.",
  }),
  string("millrace.metrics.detail", "partition", {
    validator: oneOf("partition", "topic", "broker"),
    update: "cluster-wide",
    does: "The finest thing that metrics have series of their own for: less detail keeps many partitions affordable.",
  }),
  string(nodeStateConfig, "active", {
    validator: oneOf("active", "maintenance", "decommission"),
    importance: "high",
    update: "per-broker",
    does: "What this node is for, set while the cluster runs: in maintenance it leads nothing and gets no new replicas, and in decommission its replicas move away besides.",
  }),
  boolean("millrace.recovery.accept.corruption", false, {
    importance: "high",
    does: "Starts although damage in the middle of the data was found, without what was damaged.",
  }),
  boolean("millrace.recovery.replace.disk", false, {
    importance: "high",
    does: "Lets a node of a cluster start on an empty disk in the place of one that was lost. The others give it what it had; without them it waits. For the one start that is meant; a disk that is not empty it does not touch.",
  }),
  string("millrace.storage", "disk", {
    validator: oneOf("disk", "memory"),
    importance: "high",
    does: "Where data is kept; in memory it is gone when the process ends.",
  }),
];
