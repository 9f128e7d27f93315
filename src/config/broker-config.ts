import { rackAwareSelector } from "./broker-cluster-configs.ts";
import { brokerConfigs } from "./broker-configs.ts";
import {
  type BrokerLayers,
  brokerValue,
  type ConfigTexts,
  type DynamicBrokerConfigs,
} from "./effective-values.ts";
import { type HostPort, parseHostPort } from "./host-port.ts";
import { type Listener, resolveListeners } from "./listeners.ts";
import { nodeStateConfig } from "./millrace-configs.ts";
import { parseConfigValue } from "./parse-config-value.ts";
import { listenerPrefix, resolvePeerTls } from "./peer-tls.ts";
import { type QuorumConfig, resolveQuorum } from "./quorum.ts";
import { type TopicSettings, topicSettings } from "./topic-settings.ts";
import { type ValueReader, valueReader } from "./value-reader.ts";

/** A broker's configs in force, typed and frozen. Counts and sizes that Kafka leaves open are its large defaults. */
export interface BrokerConfig {
  readonly nodeId: number;
  /** Whether it serves clients and holds replicas of partitions; a controller alone does neither. */
  readonly isBroker: boolean;
  /** Whether it may vote in the metadata group. */
  readonly isController: boolean;
  readonly rack: string | null;
  /** Whether consumers are sent to replicas in their own rack (replica.selector.class). */
  readonly isRackAware: boolean;
  /** What clients connect to; only PLAINTEXT ones get this far. */
  readonly listeners: readonly Listener[];
  /** Recognised; the first is opened where there are several nodes. */
  readonly controllerListeners: readonly Listener[];
  /** The other nodes, and where this one takes their connections; undefined for a node that is alone. */
  readonly quorum: QuorumConfig | undefined;
  /** How often leadership goes back to where it was meant to be; undefined for never. */
  readonly leaderBalanceIntervalMs: number | undefined;
  /** A node that is not reached for so long counts as gone. */
  readonly sessionTimeoutMs: number;
  /** What clients are told; port 0 stands for the port that the listener of that name got. */
  readonly advertisedListeners: readonly Listener[];
  readonly logDirectory: string;
  readonly storage: "disk" | "memory";
  readonly autoCreateTopics: boolean;
  readonly deleteTopics: boolean;
  readonly numPartitions: number;
  readonly defaultReplicationFactor: number;
  readonly socketRequestMaxBytes: number;
  readonly socketListenBacklog: number;
  /** Requests in memory at which no further ones are read. */
  readonly queuedRequestBytesMax: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
  /** Negative for never. */
  readonly connectionsMaxIdleMs: number;
  /** The limit of metadata changes whose request has none of its own. */
  readonly requestTimeoutMs: number;
  readonly fetchMaxBytes: number;
  readonly describePartitionsMax: number;
  readonly groups: GroupLimits;
  readonly offsets: OffsetsConfig;
  readonly producerIdExpirationMs: number;
  readonly producerIdExpirationCheckIntervalMs: number;
  readonly messageMaxBytes: number;
  readonly logRetentionCheckIntervalMs: number;
  readonly cleaner: CleanerConfig;
  /** What a topic without overrides has. */
  readonly topicDefaults: TopicSettings;
  readonly journalFileBytes: number;
  readonly journalFilesMax: number;
  readonly cacheBytes: number;
  readonly dirtyBytesMax: number;
  readonly acceptCorruption: boolean;
  /** An empty disk stands for one that was lost. */
  readonly replacesDisk: boolean;
  readonly logLevel: string;
  /** Where metrics and health are served; undefined for nowhere. */
  readonly httpListener: HttpListener | undefined;
  readonly metricsDetail: "partition" | "topic" | "broker";
  /** This machine's name, which stands in for an address where all of them are listened on. */
  readonly hostName: string;
  /** The configs that were set at start, by name: the STATIC_BROKER_CONFIG of DescribeConfigs. */
  readonly static: ConfigTexts;
}

/** The address of the status pages. */
export interface HttpListener extends HostPort {
  /** Asked for, and so an error where it cannot be had; a default gives way to who was there first. */
  readonly isExplicit: boolean;
}

/** Bounds of classic groups. */
export interface GroupLimits {
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly initialRebalanceDelayMs: number;
  readonly maxSize: number;
}

/** How logs are compacted. */
export interface CleanerConfig {
  readonly isEnabled: boolean;
  readonly backoffMs: number;
  /** Memory for the keys of one run, and how full it may become. */
  readonly keyMapBytes: number;
  readonly keyMapLoadFactor: number;
  readonly bytesPerSecondMax: number;
}

/** How committed offsets are kept. */
export interface OffsetsConfig {
  readonly retentionMs: number;
  readonly retentionCheckIntervalMs: number;
  readonly metadataMaxBytes: number;
  readonly commitTimeoutMs: number;
  readonly topicPartitions: number;
  readonly topicReplicationFactor: number;
  readonly topicSegmentBytes: number;
}

export type BuiltBrokerConfig =
  | { readonly kind: "config"; readonly config: BrokerConfig }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

/** Parses, checks and types all layers; every problem is reported, not the first alone. */
export function buildBrokerConfig(
  layers: BrokerLayers,
  { hostName }: { hostName: string },
): BuiltBrokerConfig {
  const problems = invalidTexts(layers);
  if (problems.length > 0) return { kind: "problems", problems };

  const read = valueReader((name) => brokerValue(name, layers));
  const listeners = resolveListeners(
    {
      listeners: read.list("listeners"),
      advertisedListeners: read.list("advertised.listeners"),
      protocolMap: read.text("listener.security.protocol.map"),
      isProtocolMapSet: layers.static.has("listener.security.protocol.map"),
      controllerNames: read.list("controller.listener.names"),
      isBroker: read.list("process.roles").includes("broker"),
      interBrokerName: read.textOrNull("inter.broker.listener.name"),
      hostName,
    },
    problems,
  );
  if (layers.static.has(nodeStateConfig)) {
    problems.push(
      `Cannot set ${nodeStateConfig} at start: the cluster keeps it, set it with "millrace cluster" or kafka-configs`,
    );
  }
  refuseContradictions(read, problems);
  const quorum = resolveQuorum(
    {
      nodeId: read.number("node.id"),
      roles: read.list("process.roles"),
      voters: read.list("controller.quorum.voters"),
      bootstrapServers: read.list("controller.quorum.bootstrap.servers"),
      controllerListeners: listeners.controller,
      controllerListener: listeners.controllerDefault,
      clientListeners: listeners.client,
      advertisedListeners: listeners.advertised,
      hostName,
      tlsOf: (listenerName) => {
        const own = (name: string) => layers.static.get(listenerPrefix(listenerName) + name);
        return resolvePeerTls(listenerName, (name) => own(name) ?? read.textOrNull(name), problems);
      },
    },
    problems,
  );
  const maxConnectionsPerIpOverrides = parseAddressLimits(
    read.text("max.connections.per.ip.overrides"),
    problems,
  );
  if (problems.length > 0) return { kind: "problems", problems };

  const config: BrokerConfig = {
    ...readServerConfig(read),
    ...readStorageConfig(read),
    listeners: listeners.client,
    controllerListeners: listeners.controller,
    quorum,
    advertisedListeners: listeners.advertised,
    maxConnectionsPerIpOverrides,
    httpListener: readHttpListener(read, layers),
    cleaner: readCleanerConfig(read),
    groups: readGroupLimits(read),
    offsets: readOffsetsConfig(read),
    topicDefaults: topicSettings(new Map(), layers),
    hostName,
    static: layers.static,
  };
  return { kind: "config", config: Object.freeze(config) };
}

/** The config after changes at run time, which must have been validated before they were stored. */
export function withDynamicConfigs(config: BrokerConfig, dynamic: DynamicBrokerConfigs): BrokerConfig {
  const built = buildBrokerConfig(layersOf(config, dynamic), config);
  if (built.kind === "config") return built.config;
  throw new Error(`Cannot apply dynamic configs: ${built.problems.join("; ")}`);
}

/** The layers that `topicSettings` and the describing functions read. */
export function layersOf(config: BrokerConfig, dynamic: DynamicBrokerConfigs): BrokerLayers {
  return { perBroker: dynamic.perBroker, clusterDefault: dynamic.clusterDefault, static: config.static };
}

function invalidTexts(layers: BrokerLayers): string[] {
  const problems: string[] = [];
  for (const layer of [layers.static, layers.clusterDefault, layers.perBroker]) {
    for (const [name, text] of layer) {
      const definition = brokerConfigs.get(name);
      const parsed = definition && parseConfigValue(definition, text);
      if (parsed?.kind === "invalid") problems.push(parsed.message);
    }
  }
  return problems;
}

/** Values that are fine by themselves and not together, or that Kafka has and we do not. */
function refuseContradictions(read: ValueReader, problems: string[]): void {
  const expect = (isFine: boolean, problem: string): void => {
    if (!isFine) problems.push(problem);
  };
  expect(
    read.number("group.min.session.timeout.ms") <= read.number("group.max.session.timeout.ms"),
    "Cannot use group.min.session.timeout.ms: it is larger than group.max.session.timeout.ms",
  );
  const selector = read.textOrNull("replica.selector.class") ?? rackAwareSelector;
  expect(
    selector === rackAwareSelector,
    `Cannot use ${selector} as replica.selector.class: there is ${rackAwareSelector} alone`,
  );
  const queuedBytes = read.number("queued.max.request.bytes");
  expect(
    queuedBytes <= 0 || queuedBytes >= read.number("socket.request.max.bytes"),
    "Cannot use queued.max.request.bytes: it is smaller than socket.request.max.bytes",
  );
  expect(
    queuedBytes > 0 ||
      read.number("millrace.inflight.request.bytes.max") >= read.number("socket.request.max.bytes"),
    "Cannot use millrace.inflight.request.bytes.max: it is smaller than socket.request.max.bytes",
  );
  const retention = ["log.retention.ms", "log.retention.minutes", "log.retention.hours"];
  const effective = retention
    .map((name) => ({ name, value: read.numberOrNull(name) }))
    .find(({ value }) => value !== null);
  expect(effective?.value !== 0, `Cannot use ${effective?.name} 0: it must be -1 for never, or at least 1`);
  for (const name of ["log.roll.ms", "log.roll.jitter.ms"]) {
    const lowest = name === "log.roll.ms" ? 1 : 0;
    expect(
      (read.numberOrNull(name) ?? lowest) >= lowest,
      `Cannot use ${name}: it must be at least ${lowest}`,
    );
  }
}

function parseAddressLimits(text: string, problems: string[]): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const item of text.split(",").map((part) => part.trim())) {
    const match = /^(.+):(\d{1,10})$/.exec(item);
    if (match?.[1]) limits.set(match[1].trim(), Number(match[2]));
    else if (item !== "")
      problems.push(`Cannot use "${item}" of max.connections.per.ip.overrides: it is not address:count`);
  }
  return limits;
}

function readServerConfig(read: ValueReader) {
  const queuedBytes = read.number("queued.max.request.bytes");
  return {
    nodeId: read.number("node.id"),
    isBroker: read.list("process.roles").includes("broker"),
    isController: read.list("process.roles").includes("controller"),
    rack: read.textOrNull("broker.rack"),
    isRackAware: read.textOrNull("replica.selector.class") === rackAwareSelector,
    leaderBalanceIntervalMs: read.flag("auto.leader.rebalance.enable")
      ? read.number("leader.imbalance.check.interval.seconds") * 1_000
      : undefined,
    sessionTimeoutMs: read.number("broker.session.timeout.ms"),
    autoCreateTopics: read.flag("auto.create.topics.enable"),
    deleteTopics: read.flag("delete.topic.enable"),
    numPartitions: read.number("num.partitions"),
    defaultReplicationFactor: read.number("default.replication.factor"),
    socketRequestMaxBytes: read.number("socket.request.max.bytes"),
    socketListenBacklog: read.number("socket.listen.backlog.size"),
    queuedRequestBytesMax: queuedBytes > 0 ? queuedBytes : read.number("millrace.inflight.request.bytes.max"),
    maxConnections: read.number("max.connections"),
    maxConnectionsPerIp: read.number("max.connections.per.ip"),
    connectionsMaxIdleMs: read.number("connections.max.idle.ms"),
    requestTimeoutMs: read.number("request.timeout.ms"),
    fetchMaxBytes: read.number("fetch.max.bytes"),
    describePartitionsMax: read.number("max.request.partition.size.limit"),
    logLevel: read.text("millrace.log.level"),
    metricsDetail: read.text("millrace.metrics.detail") as BrokerConfig["metricsDetail"],
  };
}

function readHttpListener(read: ValueReader, layers: BrokerLayers): HttpListener | undefined {
  const name = "millrace.http.listener";
  const address = parseHostPort(read.text(name));
  return address && { ...address, isExplicit: layers.static.has(name) };
}

function readStorageConfig(read: ValueReader) {
  const [logDirectory = read.list("log.dir")[0] ?? "data"] = read.list("log.dirs");
  return {
    logDirectory,
    storage: read.text("millrace.storage") === "memory" ? ("memory" as const) : ("disk" as const),
    producerIdExpirationMs: read.number("producer.id.expiration.ms"),
    producerIdExpirationCheckIntervalMs: read.number("producer.id.expiration.check.interval.ms"),
    messageMaxBytes: read.number("message.max.bytes"),
    logRetentionCheckIntervalMs: read.number("log.retention.check.interval.ms"),
    journalFileBytes: read.number("millrace.journal.file.bytes"),
    journalFilesMax: read.number("millrace.journal.files.max"),
    cacheBytes: read.number("millrace.cache.bytes"),
    dirtyBytesMax: read.number("millrace.dirty.bytes.max"),
    acceptCorruption: read.flag("millrace.recovery.accept.corruption"),
    replacesDisk: read.flag("millrace.recovery.replace.disk"),
  };
}

function readCleanerConfig(read: ValueReader): CleanerConfig {
  return {
    isEnabled: read.flag("log.cleaner.enable"),
    backoffMs: read.number("log.cleaner.backoff.ms"),
    // Kafka takes any number for these three; what makes no sense comes as near to it as does.
    keyMapBytes: Math.min(Math.max(read.number("log.cleaner.dedupe.buffer.size"), 1024), 2 ** 31 - 1),
    keyMapLoadFactor: Math.min(Math.max(read.number("log.cleaner.io.buffer.load.factor"), 0.1), 1),
    bytesPerSecondMax: Math.max(read.number("log.cleaner.io.max.bytes.per.second"), 1024),
  };
}

function readGroupLimits(read: ValueReader): GroupLimits {
  return {
    minSessionTimeoutMs: read.number("group.min.session.timeout.ms"),
    maxSessionTimeoutMs: read.number("group.max.session.timeout.ms"),
    initialRebalanceDelayMs: read.number("group.initial.rebalance.delay.ms"),
    maxSize: read.number("group.max.size"),
  };
}

function readOffsetsConfig(read: ValueReader): OffsetsConfig {
  return {
    retentionMs: read.number("offsets.retention.minutes") * 60_000,
    retentionCheckIntervalMs: read.number("offsets.retention.check.interval.ms"),
    metadataMaxBytes: read.number("offset.metadata.max.bytes"),
    commitTimeoutMs: read.number("offsets.commit.timeout.ms"),
    topicPartitions: read.number("offsets.topic.num.partitions"),
    topicReplicationFactor: read.number("offsets.topic.replication.factor"),
    topicSegmentBytes: read.number("offsets.topic.segment.bytes"),
  };
}
