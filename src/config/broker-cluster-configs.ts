import { boolean, type ConfigDefinition, int, list, long, longMax, string } from "./definition.ts";
import { atLeast, oneOf, quorumServers, quorumVoters, someItems, someOf } from "./validator.ts";

/** Kafka's own class; there is no other here, for there are no plug-ins. */
export const rackAwareSelector = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

/** How brokers form a cluster: roles, quorum, replication. */
export const brokerClusterConfigs: readonly ConfigDefinition[] = [
  boolean("auto.leader.rebalance.enable", true, {
    importance: "high",
    does: "Whether leaders hand partitions back to the replica that was meant to lead them, once it follows closely again.",
  }),
  int("broker.heartbeat.interval.ms", 2000),
  int("broker.session.timeout.ms", 9000, {
    does: "A node of a cluster that is not reached for so long counts as gone.",
  }),
  list("controller.listener.names", "CONTROLLER", {
    validator: someItems,
    importance: "high",
    does: "The listeners for the traffic between nodes, of which the first is opened where there are several nodes; clients are not served on them. A broker alone may do without: it then takes any free port.",
  }),
  long("controller.performance.always.log.threshold.ms", 2000, { validator: atLeast(0), internal: true }),
  long("controller.performance.sample.period.ms", 60000, { validator: atLeast(100), internal: true }),
  int("controller.quorum.append.linger.ms", 25, { validator: atLeast(0) }),
  boolean("controller.quorum.auto.join.enable", false, { importance: "low" }),
  list("controller.quorum.bootstrap.servers", "", {
    validator: quorumServers,
    importance: "high",
    does: "The controller listeners of a cluster's controllers as host:port, instead of controller.quorum.voters: they find out who is there, and begin the cluster once all are.",
  }),
  int("controller.quorum.election.backoff.max.ms", 1000, { validator: atLeast(0), importance: "high" }),
  int("controller.quorum.election.timeout.ms", 1000, { validator: atLeast(0), importance: "high" }),
  int("controller.quorum.fetch.max.bytes", 1_048_576, { validator: atLeast(1), importance: "low" }),
  int("controller.quorum.fetch.snapshot.max.bytes", 1_048_576, { validator: atLeast(1), importance: "low" }),
  int("controller.quorum.fetch.timeout.ms", 2000, { validator: atLeast(0), importance: "high" }),
  int("controller.quorum.request.timeout.ms", 2000, { validator: atLeast(0) }),
  int("controller.quorum.retry.backoff.ms", 20, { validator: atLeast(0), importance: "low" }),
  list("controller.quorum.voters", "", {
    validator: quorumVoters,
    importance: "high",
    does: "All controllers of a cluster as id@host:port, the port that of the node's controller listener; a node that is alone names itself or none.",
  }),
  int("controller.socket.timeout.ms", 30000),
  int("default.replication.factor", 1, { does: "Replicas of a topic whose creation names no number." }),
  int("delete.records.purgatory.purge.interval.requests", 1),
  int("fetch.purgatory.purge.interval.requests", 1000),
  boolean("follower.fetch.last.tiered.offset.enable", false, { update: "cluster-wide" }),
  int("initial.broker.registration.timeout.ms", 60000),
  string("inter.broker.listener.name", null),
  long("leader.imbalance.check.interval.seconds", 300, {
    validator: atLeast(1),
    importance: "high",
    does: "How often a node looks for partitions to hand back to those that were meant to lead them.",
  }),
  int("node.id", 1, {
    validator: atLeast(0),
    importance: "high",
    does: "This node's number in its cluster.",
  }),
  int("num.replica.fetchers", 1, { validator: atLeast(1), importance: "high", update: "cluster-wide" }),
  list("process.roles", "broker,controller", {
    validator: someOf("broker", "controller"),
    importance: "high",
    does: "What this node does: serve clients and keep partitions as a broker, vote on the cluster's metadata as a controller, or both.",
  }),
  int("producer.purgatory.purge.interval.requests", 1000),
  int("replica.fetch.backoff.ms", 1000, { validator: atLeast(0) }),
  int("replica.fetch.max.bytes", 1_048_576, { validator: atLeast(0) }),
  int("replica.fetch.min.bytes", 1, { importance: "high" }),
  int("replica.fetch.response.max.bytes", 10_485_760, { validator: atLeast(0) }),
  int("replica.fetch.wait.max.ms", 500, { importance: "high" }),
  long("replica.high.watermark.checkpoint.interval.ms", 5000, { importance: "high" }),
  long("replica.lag.time.max.ms", 30000, { importance: "high" }),
  string("replica.selector.class", null, {
    does: "Where consumers read that name their rack (KIP-392): in it, with Kafka's RackAwareReplicaSelector; else at the leader.",
  }),
  int("replica.socket.receive.buffer.bytes", 65536, { importance: "high" }),
  int("replica.socket.timeout.ms", 30000, { importance: "high" }),
  string("sasl.mechanism.controller.protocol", "GSSAPI", { importance: "high" }),
  string("security.inter.broker.protocol", "PLAINTEXT", {
    validator: oneOf("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
  }),
  long("server.max.startup.time.ms", longMax, { validator: atLeast(0), internal: true }),
  boolean("unclean.leader.election.enable", false, { importance: "high", update: "cluster-wide" }),
  long("unclean.leader.election.interval.ms", 300_000, { validator: atLeast(1), internal: true }),
];
