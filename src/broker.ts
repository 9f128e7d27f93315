import type { Logger } from "pino";
import type { NewMemory } from "#storage/io/buffer-arena.ts";
import type { FileSystem } from "#storage/io/file.ts";
import { Reassignments } from "./cluster/admin/reassignments.ts";
import { TopicAdmin } from "./cluster/admin/topic-admin.ts";
import type { ClusterOperations } from "./cluster/cluster-operations.ts";
import type { LeaderDirectory } from "./cluster/leaders/leader-directory.ts";
import type { BrokerEndpoint } from "./cluster/metadata/metadata-command.ts";
import type { MetadataStore } from "./cluster/metadata/metadata-store.ts";
import { ProducerIds } from "./cluster/metadata/producer-ids.ts";
import type { TopicChanges } from "./cluster/metadata/topic-changes.ts";
import type { ReadReplicas } from "./cluster/replicas/read-replicas.ts";
import type { BrokerConfig } from "./config/broker-config.ts";
import type { BrokerLayers } from "./config/effective-values.ts";
import { groupConfigOf } from "./coordinators/group-settings.ts";
import { GroupCoordinator } from "./coordinators/groups/group-coordinator.ts";
import { OffsetsTopic, offsetsTopicName } from "./coordinators/offsets-topic.ts";
import { topicDirectoryOf } from "./coordinators/topic-directory.ts";
import type { ServedBroker } from "./handlers/served-broker.ts";
import { Node } from "./node.ts";
import type { Partition } from "./partitions/partition.ts";
import type { PartitionManager } from "./partitions/partition-manager.ts";
import type { ProduceGate } from "./partitions/produce-gate.ts";
import type { Clock } from "./runtime/clock.ts";
import { type NodeStorage, openNodeStorage } from "./runtime/node-storage.ts";
import { patientClock } from "./runtime/patient-clock.ts";
import type { Ports } from "./runtime/ports.ts";
import { RepeatedWork } from "./runtime/repeated-work.ts";
import { Router } from "./server/router.ts";
import { Server } from "./server/server.ts";
import { BrokerStatus } from "./telemetry/broker-status.ts";
import { tellTopics } from "./telemetry/operator-log.ts";
import { Telemetry } from "./telemetry/telemetry.ts";

export interface BrokerOptions {
  readonly config: BrokerConfig;
  readonly ports: Ports;
  readonly logger: Logger;
  /** A disk other than the configured one; it is the caller's and outlives the broker. */
  readonly files?: FileSystem;
  /** Memory for such a disk, which need not be page-aligned; a simulator uses it again for the next broker. */
  readonly newMemory?: NewMemory;
  /** Once aborted, a start that waits for other nodes gives up. */
  readonly stopping?: AbortSignal;
  /** Called once when storage cannot be trusted any more; the process should end without another write. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * What clients talk to, on top of a node (`node.ts`, which opens and recovers before this begins to serve): topics are
 * administered, groups coordinated and requests routed here. Coordinators follow partitions, and the listeners open last.
 */
export class Broker implements ServedBroker, AsyncDisposable {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metadata: MetadataStore;
  readonly leaders: LeaderDirectory;
  readonly operations: ClusterOperations;
  readonly partitions: PartitionManager;
  readonly readReplicas: ReadReplicas;
  readonly gate: ProduceGate;
  readonly topics: TopicAdmin;
  readonly reassignments: Reassignments;
  readonly producerIds: ProducerIds;
  readonly groupLog: OffsetsTopic;
  readonly groups: GroupCoordinator;
  readonly telemetry = new Telemetry();

  readonly #options: BrokerOptions;
  readonly #node: Node;
  readonly #server: Server;
  readonly #status: BrokerStatus;
  readonly #work: RepeatedWork;
  #endpoints: BrokerEndpoint[] = [];
  #closing: Promise<void> | undefined;

  /** Opens storage, recovers and serves. @throws what storage throws for data that it cannot vouch for */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { config, ports, logger, files, newMemory } = options;
    const { nodeId, logDirectory, storage: storageKind } = config;
    logger.info({ nodeId, logDirectory, storage: storageKind }, "starting");
    const storage = await openNodeStorage(config, { ...ports, logger, files, newMemory });
    const broker = new Broker(options, storage);
    try {
      await broker.#status.open();
      await broker.#node.recover();
      await broker.#serve();
    } catch (error) {
      await broker.#abandon(error);
      throw error;
    }
    return broker;
  }

  private constructor(options: BrokerOptions, storage: NodeStorage) {
    const { config, ports, logger, stopping } = options;
    const { clock, identity } = ports;
    this.#options = options;
    this.clock = clock;
    this.logger = logger;
    this.#work = new RepeatedWork({ clock, logger });
    const node = new Node({
      ...{ config, ports, logger, storage, stopping, telemetry: this.telemetry },
      owner: {
        led: (partition) => this.#beginToLead(partition),
        unled: (partition) => this.#ceaseToLead(partition),
        topicsChanged: (changes) => this.#followTopics(changes),
        failed: (error) => this.#fail(error),
      },
    });
    this.#node = node;
    const { metadata, partitions, gate } = node;
    this.metadata = metadata;
    this.leaders = node.leaders;
    this.operations = node.operations;
    this.partitions = partitions;
    this.readReplicas = node.readReplicas;
    this.gate = gate;
    this.topics = new TopicAdmin({
      ...{ metadata, clock, identity },
      readiness: node,
      isReachable: (nodeId) => node.isReachable(nodeId),
      config: () => this.config,
    });
    this.reassignments = new Reassignments({ metadata, clock });
    this.producerIds = new ProducerIds(metadata, { nodeId: config.nodeId, clock });
    this.groupLog = new OffsetsTopic({
      ...{ metadata, partitions, topics: this.topics },
      partitionCount: config.offsets.topicPartitions,
      hasRoom: () => !gate.isBlocked && !partitions.uncommitted.isOver,
    });
    this.groups = new GroupCoordinator({
      ...{ log: this.groupLog, identity },
      clock: patientClock(clock),
      topics: topicDirectoryOf(metadata),
      config: groupConfigOf(config),
    });
    this.#server = this.#newServer();
    this.#status = new BrokerStatus({
      ...{ ports, logger },
      config: () => this.config,
      freeDiskBytes: () => this.freeDiskBytes(),
      parts: {
        ...{ metadata, partitions, gate, telemetry: this.telemetry, groups: this.groups },
        ...{ server: this.#server, host: node.host },
        journal: storage.journal,
        dirty: storage.dirty,
        cache: storage.cache,
      },
    });
  }

  /** The configs in force, changes at run time included. */
  get config(): BrokerConfig {
    return this.#node.config.current;
  }

  /** Where clients reach this broker, by listener. */
  get endpoints(): readonly BrokerEndpoint[] {
    return this.#endpoints;
  }

  get controllerId(): number {
    return this.#node.controllerId;
  }

  configLayers(): BrokerLayers {
    return this.#node.config.layers();
  }

  freeDiskBytes(): Promise<number> {
    return this.#node.freeDiskBytes();
  }

  totalDiskBytes(): Promise<number> {
    return this.#node.totalDiskBytes();
  }

  unforeseen(error: unknown): void {
    this.logger.error({ err: error }, "a request met an error that nobody foresaw");
  }

  fail(error: unknown): void {
    this.#node.fail(error);
  }

  /** Stops taking requests, answers those under way, brings all data into the segments and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #newServer(): Server {
    const { config, ports, logger } = this.#options;
    return new Server({
      ...{ network: ports.network, clock: ports.clock, logger },
      handler: new Router(this),
      requestBytesMax: config.socketRequestMaxBytes,
      queuedBytesMax: config.queuedRequestBytesMax,
      connectionsMax: config.maxConnections,
      connectionsPerAddressMax: (address) =>
        config.maxConnectionsPerIpOverrides.get(address) ?? config.maxConnectionsPerIp,
      idleMsMax: config.connectionsMaxIdleMs < 0 ? Number.POSITIVE_INFINITY : config.connectionsMaxIdleMs,
    });
  }

  #beginToLead({ topic, index, name }: Partition): void {
    if (topic !== offsetsTopicName) return;
    this.groups.take(index).catch((error: unknown) => {
      this.logger.error({ err: error, partition: name }, "cannot load groups");
    });
  }

  #ceaseToLead(partition: Partition): void {
    if (partition.topic === offsetsTopicName) this.groups.resign(partition.index);
  }

  #followTopics(changes: TopicChanges): void {
    // What a node of a cluster is told while it joins has happened before.
    if (!this.#node.isMember || this.#status.phase === "serving") tellTopics(this.logger, changes);
    const topics = changes.removed.map(({ name }) => name);
    if (topics.length === 0) return;
    for (const topic of topics) this.telemetry.traffic.forget(topic);
    this.groups.forgetTopics(topics).catch((error: unknown) => {
      this.logger.error({ err: error, topics }, "cannot forget the offsets of deleted topics");
    });
  }

  #fail(error: unknown): void {
    this.#status.phase = "stopping";
    this.#options.onFatal(error);
  }

  async #serve(): Promise<void> {
    const { config, logger } = this.#options;
    const { nodeId } = config;
    const boundPorts = new Map<string, number>();
    for (const listener of config.listeners)
      boundPorts.set(listener.name, await this.#server.listen(listener));
    this.#endpoints = config.advertisedListeners.map(({ name, host, port }) => ({
      listener: name,
      host,
      port: port === 0 ? (boundPorts.get(name) ?? 0) : port,
    }));
    await this.#node.takePart(this.#endpoints);
    this.#work.every(
      config.offsets.retentionCheckIntervalMs,
      () => this.groups.expireOffsets(),
      "cannot expire offsets",
    );
    this.#server.open();
    this.#status.phase = "serving";
    const listeners = config.listeners.map(({ name, host, port }) => ({
      name,
      host,
      port: boundPorts.get(name) ?? port,
    }));
    const { clusterId } = this.metadata.image;
    const { port: httpPort } = this.#status;
    logger.info({ nodeId, clusterId, listeners, httpPort }, "serving");
  }

  async #close(): Promise<void> {
    this.logger.info("stopping");
    this.#status.phase = "stopping";
    this.#work.stop();
    await this.#node.retire();
    await this.#dismissClients();
    await this.#node.leave();
    try {
      await this.#node.stop();
    } finally {
      await this.#status.close();
      await this.#node[Symbol.asyncDispose]();
    }
    this.logger.info("stopped");
  }

  /** Lets go of what a failed start has opened. The failure that brought us here is the one to tell. */
  async #abandon(error: unknown): Promise<void> {
    this.#work.stop();
    this.#node.abandon(error);
    await this.#dismissClients();
    await this.#node.leave();
    await this.partitions.whenAllReady();
    await this.#node.stop();
    await this.#status.close();
    await this.#node[Symbol.asyncDispose]();
  }

  async #dismissClients(): Promise<void> {
    this.groups.close();
    await this.#server.close();
  }
}
