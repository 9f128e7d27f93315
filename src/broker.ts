import { strict as assert } from "node:assert";
import type { Logger } from "pino";
import { RaftHost } from "#raft/host/raft-host.ts";
import type { NewMemory } from "#storage/io/buffer-arena.ts";
import type { FileSystem } from "#storage/io/file.ts";
import { ClusterMember } from "./cluster/cluster-member.ts";
import { ClusterOperations } from "./cluster/cluster-operations.ts";
import { LeaderDirectory } from "./cluster/leader-directory.ts";
import type { BrokerEndpoint, MetadataCommand } from "./cluster/metadata-command.ts";
import { MetadataFile } from "./cluster/metadata-file.ts";
import {
  configsOf,
  emptyImage,
  haveBrokerConfigsChanged,
  type MetadataImage,
  topicById,
} from "./cluster/metadata-image.ts";
import { MetadataKeeper } from "./cluster/metadata-keeper.ts";
import { MetadataStore, metadataGroupId } from "./cluster/metadata-store.ts";
import {
  ForeignDirectoryError,
  JournalLostError,
  type NodeIdentity,
  NodeIdentityFile,
} from "./cluster/node-identity-file.ts";
import { ProducerIds } from "./cluster/producer-ids.ts";
import { ReadReplicas, tellLogStartsMs } from "./cluster/read-replicas.ts";
import { Reassignments } from "./cluster/reassignments.ts";
import { ReplicaCatchUp } from "./cluster/replica-catch-up.ts";
import { TopicAdmin } from "./cluster/topic-admin.ts";
import { type TopicChanges, topicChanges } from "./cluster/topic-changes.ts";
import { type BrokerConfig, layersOf, withDynamicConfigs } from "./config/broker-config.ts";
import type { BrokerLayers } from "./config/effective-values.ts";
import { type TopicSettings, topicSettings } from "./config/topic-settings.ts";
import { groupConfigOf } from "./coordinators/group-settings.ts";
import { GroupCoordinator } from "./coordinators/groups/group-coordinator.ts";
import { OffsetsTopic, offsetsTopicName } from "./coordinators/offsets-topic.ts";
import { topicDirectoryOf } from "./coordinators/topic-directory.ts";
import type { ServedBroker } from "./handlers/served-broker.ts";
import { Housekeeper } from "./partitions/housekeeper.ts";
import type { Partition } from "./partitions/partition.ts";
import { PartitionManager } from "./partitions/partition-manager.ts";
import { restartPartition } from "./partitions/partition-start.ts";
import type { ProduceGate } from "./partitions/produce-gate.ts";
import { ProducerStore } from "./partitions/producer-store.ts";
import type { Clock } from "./runtime/clock.ts";
import { isDiskFull } from "./runtime/disk-full.ts";
import { JournalLogStore } from "./runtime/journal-log-store.ts";
import { type NodeStorage, openNodeStorage } from "./runtime/node-storage.ts";
import { patientClock } from "./runtime/patient-clock.ts";
import type { Ports } from "./runtime/ports.ts";
import { RepeatedWork } from "./runtime/repeated-work.ts";
import { Router } from "./server/router.ts";
import { Server } from "./server/server.ts";
import { BrokerStatus } from "./telemetry/broker-status.ts";
import { tellRecovery, tellTopics } from "./telemetry/operator-log.ts";
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

const journalRetryMs = 100;
/** How long the creation of a topic waits for its partitions' first leaders. */
const firstLeadersMs = 3_000;

/**
 * One node, wired together. Reading order: storage is opened and recovered, the metadata group brings the
 * image back, partitions follow the image, coordinators follow partitions, and the server opens last.
 */
export class Broker implements ServedBroker, AsyncDisposable {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metadata = new MetadataStore();
  readonly leaders = new LeaderDirectory();
  readonly operations: ClusterOperations;
  readonly partitions: PartitionManager;
  readonly readReplicas: ReadReplicas;
  readonly topics: TopicAdmin;
  readonly reassignments: Reassignments;
  readonly producerIds: ProducerIds;
  readonly groupLog: OffsetsTopic;
  readonly groups: GroupCoordinator;
  readonly gate: ProduceGate;
  readonly telemetry = new Telemetry();

  readonly #options: BrokerOptions;
  readonly #storage: NodeStorage;
  /** What this node needs to be one of several; undefined where it is alone. */
  readonly #member: ClusterMember | undefined;
  readonly #host: RaftHost;
  readonly #metadataKeeper: MetadataKeeper;
  readonly #producers: ProducerStore;
  readonly #housekeeper: Housekeeper;
  readonly #server: Server;
  readonly #status: BrokerStatus;
  readonly #work: RepeatedWork;
  #config: BrokerConfig;
  #endpoints: BrokerEndpoint[] = [];
  /** Of a node of a cluster. */
  #directory: NodeIdentity | undefined;
  /** Of this run: it stands in the broker's registration. */
  readonly #processId: string;
  /** Whether the image is not older than the last one that this node acted on, in an earlier life. */
  #hasWholeImage = false;
  #failure: { readonly error: unknown } | undefined;
  #closing: Promise<void> | undefined;

  /** Opens storage, recovers and serves. @throws what storage throws for data that it cannot vouch for */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { config, ports, logger } = options;
    const { nodeId, logDirectory, storage: storageKind } = config;
    logger.info({ nodeId, logDirectory, storage: storageKind }, "starting");
    const { files, newMemory } = options;
    const storage = await openNodeStorage(config, { ...ports, logger, files, newMemory });
    const broker = new Broker(options, storage);
    try {
      await broker.#status.open();
      await broker.#recover();
      await broker.#serve();
    } catch (error) {
      await broker.#abandon(error);
      throw error;
    }
    return broker;
  }

  private constructor(options: BrokerOptions, storage: NodeStorage) {
    const { config, ports, logger } = options;
    this.#options = options;
    this.#config = config;
    this.#processId = ports.identity.newUuid();
    this.#storage = storage;
    this.clock = ports.clock;
    this.logger = logger;
    this.#work = new RepeatedWork({ clock: ports.clock, logger });
    const onFatal = (error: unknown): void => this.fail(error);

    const logStore = new JournalLogStore(storage.journal, {
      recovered: storage.recovered,
      clock: ports.clock,
      onFlushed: (durationMs) => this.telemetry.journalFlushes.observe(durationMs),
    });
    this.#member = this.#newMember();
    this.#host = new RaftHost({
      ...(this.#member && { cluster: this.#member.hostPorts(), catchUp: this.#newCatchUp(this.#member) }),
      nodeId: config.nodeId,
      log: logStore,
      schedulePass: (callback) => ports.clock.soon(callback),
      scheduleRetry: (callback) => void ports.clock.schedule(journalRetryMs, callback),
      onFatal,
    });
    this.#metadataKeeper = new MetadataKeeper({
      store: this.metadata,
      file: new MetadataFile(storage, config.logDirectory),
      host: this.#host,
      payloadBytesMax: storage.journal.payloadBytesMax,
      stored: logStore.stored(metadataGroupId),
    });
    this.#producers = new ProducerStore(storage, config);
    const producers = this.#producers;
    const isReachable = (nodeId: number): boolean => this.#member?.isUp(nodeId) ?? true;
    this.partitions = new PartitionManager({
      nodeId: config.nodeId,
      host: this.#host,
      logs: storage.logs,
      dirty: storage.dirty,
      producers,
      storedGroup: (groupId) => logStore.stored(groupId),
      isReachable,
      settingsOf: (topic) => this.#settingsOf(topic),
      clock: ports.clock,
      logger,
      onFatal,
    });
    this.readReplicas = new ReadReplicas({
      nodeId: config.nodeId,
      calls: this.#member?.calls,
      isRackAware: () => this.#config.isRackAware,
      image: () => this.metadata.image,
      partitions: () => this.partitions.all(),
    });
    this.operations = new ClusterOperations({
      config,
      host: this.#host,
      metadata: this.metadata,
      leaders: this.leaders,
      partitions: this.partitions,
      member: this.#member,
      isReachable,
      isBlocked: () => this.gate.isBlocked,
      clock: ports.clock,
      logger,
    });
    this.#housekeeper = new Housekeeper({
      partitions: this.partitions,
      host: this.#host,
      journal: storage.journal,
      logs: storage.logs,
      dirty: storage.dirty,
      producers,
      files: storage.files,
      config: () => this.#config,
      clock: ports.clock,
      logger,
      telemetry: this.telemetry,
      saveMetadata: () => this.#metadataKeeper.save(),
      metadataGroupId,
      onFatal,
    });
    this.gate = this.#housekeeper.gate;
    this.topics = new TopicAdmin({
      metadata: this.metadata,
      readiness: { whenReady: (topicId) => this.#whenReady(topicId) },
      isReachable,
      config: () => this.#config,
      clock: ports.clock,
      identity: ports.identity,
    });
    this.reassignments = new Reassignments({ metadata: this.metadata, clock: ports.clock });
    this.producerIds = new ProducerIds(this.metadata, { nodeId: config.nodeId, clock: ports.clock });
    this.groupLog = new OffsetsTopic({
      metadata: this.metadata,
      partitions: this.partitions,
      topics: this.topics,
      partitionCount: config.offsets.topicPartitions,
      hasRoom: () => !this.gate.isBlocked && !this.partitions.uncommitted.isOver,
    });
    this.groups = new GroupCoordinator({
      log: this.groupLog,
      clock: patientClock(ports.clock),
      identity: ports.identity,
      topics: topicDirectoryOf(this.metadata),
      config: groupConfigOf(config),
    });
    this.#server = new Server({
      network: ports.network,
      clock: ports.clock,
      logger,
      handler: new Router(this),
      requestBytesMax: config.socketRequestMaxBytes,
      queuedBytesMax: config.queuedRequestBytesMax,
      connectionsMax: config.maxConnections,
      connectionsPerAddressMax: (address) =>
        config.maxConnectionsPerIpOverrides.get(address) ?? config.maxConnectionsPerIp,
      idleMsMax: config.connectionsMaxIdleMs < 0 ? Number.POSITIVE_INFINITY : config.connectionsMaxIdleMs,
    });
    this.#status = new BrokerStatus({
      ports,
      logger,
      config: () => this.#config,
      freeDiskBytes: () => this.freeDiskBytes(),
      parts: {
        telemetry: this.telemetry,
        metadata: this.metadata,
        partitions: this.partitions,
        groups: this.groups,
        gate: this.gate,
        server: this.#server,
        host: this.#host,
        journal: storage.journal,
        dirty: storage.dirty,
        cache: storage.cache,
      },
    });
  }

  /** The configs in force, changes at run time included. */
  get config(): BrokerConfig {
    return this.#config;
  }

  /** Where clients reach this broker, by listener. */
  get endpoints(): readonly BrokerEndpoint[] {
    return this.#endpoints;
  }

  /** The node that takes administrative requests: the metadata group's leader, where that is a broker and known. */
  get controllerId(): number {
    const { nodeId } = this.#config;
    const leader = this.#member?.controllerId ?? nodeId;
    // Clients can only talk to brokers, and any of them brings a request to whoever leads; Kafka, too, names any.
    return this.metadata.image.brokers.has(leader) ? leader : nodeId;
  }

  /** The layers of broker configs, as the admin APIs show and change them. */
  configLayers(): BrokerLayers {
    const { image } = this.metadata;
    return layersOf(this.#options.config, {
      perBroker: configsOf(image, "broker", String(this.#options.config.nodeId)),
      clusterDefault: configsOf(image, "broker", ""),
    });
  }

  /** Bytes that can still be written where the data lies. */
  freeDiskBytes(): Promise<number> {
    return this.#storage.files.freeBytes(this.#config.logDirectory);
  }

  /** Bytes of the whole disk there. */
  totalDiskBytes(): Promise<number> {
    return this.#storage.files.totalBytes(this.#config.logDirectory);
  }

  unforeseen(error: unknown): void {
    this.logger.error({ err: error }, "a request met an error that nobody foresaw");
  }

  /** Storage cannot be trusted any more: nothing is promised from here on, and the owner is told. */
  fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    this.#status.phase = "stopping";
    void this.#host.stop();
    this.metadata.abandon(error);
    void this.#member?.close();
    this.#options.onFatal(error);
  }

  /** Stops taking requests, answers those under way, brings all data into the segments and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #recover(): Promise<void> {
    const { config } = this.#options;
    const startedMs = this.clock.monotonicMs();
    const identity = new NodeIdentityFile(this.#storage, config.logDirectory);
    const known = await identity.load(config.nodeId);
    this.#refuseLostJournal(known);
    this.#refuseOtherKind(known);
    this.partitions.listen({
      led: (partition) => this.#beginToLead(partition),
      unled: (partition) => this.#ceaseToLead(partition),
    });
    if (this.#member) await this.#joinCluster(this.#member, identity, known);
    else await this.#recoverAlone(identity, known);
    await this.partitions.whenAllReady();
    if (this.#failure) throw new Error("Cannot start: storage failed", { cause: this.#failure.error });
    await this.#removeStrangers();
    // A journal that a crash left full gets room only by this; without room nothing below is committed.
    this.#housekeeper.start();
    await this.#host.drained();
    tellRecovery(this.logger, {
      durationMs: this.clock.monotonicMs() - startedMs,
      topicCount: this.metadata.image.topics.size,
      partitionCount: [...this.partitions.all()].length,
      journal: this.#storage.report,
      tornTails: this.partitions.tornTails,
    });
  }

  async #recoverAlone(identity: NodeIdentityFile, known: NodeIdentity | undefined): Promise<void> {
    const { nodeId } = this.#options.config;
    await this.#metadataKeeper.recover([nodeId]);
    this.#applyConfig();
    this.metadata.onChange((image, previous) => this.#follow(image, previous));
    this.#hasWholeImage = true;
    this.partitions.follow(this.metadata.image, emptyImage);
    if (this.metadata.image.clusterId === "") {
      const clusterId = known?.clusterId ?? this.#options.ports.identity.newUuid();
      await this.metadata.propose({ kind: "nameCluster", clusterId });
    }
    if (!known) {
      const { clusterId } = this.metadata.image;
      await identity.save({ nodeId, clusterId, directoryId: "" });
    }
  }

  /** What is committed of the metadata only the other nodes can tell: a majority of them is waited for. */
  async #joinCluster(
    member: ClusterMember,
    file: NodeIdentityFile,
    known: NodeIdentity | undefined,
  ): Promise<void> {
    const { config, ports } = this.#options;
    const { nodeId, logDirectory } = config;
    const found = {
      nodeId,
      clusterId: known?.clusterId ?? "",
      directoryId: known?.directoryId || ports.identity.newUuid(),
      generation: (known?.generation ?? 0) + 1,
      incarnation: known?.incarnation ?? 0,
      ...(known?.voters && { voters: known.voters }),
    };
    // Counted before anybody hears of this start: a copy of an earlier state of the directory gives itself away.
    if (known) await file.save(found);
    this.metadata.onChange((image, previous) => this.#follow(image, previous));
    const { stopping } = this.#options;
    stopping?.addEventListener("abort", () => void member.close(), { once: true });
    const isReplacement = !known && config.replacesDisk;
    const directory = isReplacement ? { ...found, incarnation: await member.replaceDisk(found) } : found;
    this.#host.identify(directory.incarnation);
    const voters = await member.findVoters(directory, (found) => file.save({ ...directory, voters: found }));
    // What replaces a lost disk has founded nothing.
    await this.#metadataKeeper.recover(directory.incarnation > 0 ? [] : member.founders);
    this.#applyConfig();
    this.#directory = directory;
    await member.open(this.#host, directory);
    stopping?.throwIfAborted();
    await member.join(logDirectory);
    // Not before: what this node has of the image may be older than what it has done, such as to remove a replica.
    this.#hasWholeImage = true;
    this.partitions.follow(this.metadata.image, emptyImage);
    const { clusterId } = this.metadata.image;
    if (!known?.clusterId || !known.voters) await file.save({ ...directory, clusterId, voters });
  }

  #newMember(): ClusterMember | undefined {
    const { config, ports, logger } = this.#options;
    const { quorum } = config;
    if (!quorum) return undefined;
    const network = quorum.tls ? ports.securePeers?.(quorum.tls) : ports.peers;
    assert(network, "a node of a cluster needs a network between nodes");
    return new ClusterMember({
      quorum,
      processId: this.#processId,
      config: () => this.#config,
      metadata: this.metadata,
      leaders: this.leaders,
      network,
      clock: ports.clock,
      identity: ports.identity,
      checksum: this.#storage.checksum,
      logger,
    });
  }

  #newCatchUp(member: ClusterMember): ReplicaCatchUp {
    return new ReplicaCatchUp({
      calls: member.calls,
      metadata: this.metadata,
      keeper: { install: (snapshot) => this.#metadataKeeper.install(snapshot) },
      partitionOf: (groupId) => this.partitions.ofGroup(groupId),
      restart: (partition, start) => restartPartition(partition, start, this.#producers),
    });
  }

  #beginToLead(partition: Partition): void {
    this.#member?.news.leads(partition.groupId, partition.leaderEpoch);
    if (partition.topic !== offsetsTopicName) return;
    this.groups.take(partition.index).catch((error: unknown) => {
      this.logger.error({ err: error, partition: partition.name }, "cannot load groups");
    });
  }

  #ceaseToLead(partition: Partition): void {
    this.#member?.news.leadsNoMore(partition.groupId);
    if (partition.topic === offsetsTopicName) this.groups.resign(partition.index);
  }

  /** Resolves when a topic's partitions are open here and, as far as that takes no longer than usual, led somewhere. */
  async #whenReady(topicId: string): Promise<void> {
    await this.partitions.whenReady(topicId);
    if (!this.#member) return;
    const groupIds = topicById(this.metadata.image, topicId)?.partitions.map(({ groupId }) => groupId) ?? [];
    await this.leaders.whenLed(groupIds, this.clock, firstLeadersMs);
  }

  /** A node that has served before has a journal; without it, what it acknowledged last is lost. */
  #refuseLostJournal(known: NodeIdentity | undefined): void {
    const { config } = this.#options;
    // A node that has only agreed with others to found a cluster has served nobody yet.
    if (!known?.clusterId || this.#storage.recovered.has(metadataGroupId)) return;
    const lost = new JournalLostError(config.logDirectory);
    if (!config.acceptCorruption) throw lost;
    this.logger.error({ err: lost }, "the journal is lost, and that was accepted");
  }

  /** The journal of a node that is alone knows nothing of other voters, nor the other way round. */
  #refuseOtherKind(known: NodeIdentity | undefined): void {
    if (!known) return;
    const { logDirectory } = this.#options.config;
    const wasMember = known.directoryId !== "";
    if (wasMember && !this.#member) {
      throw new ForeignDirectoryError(
        logDirectory,
        "it belongs to a node of a cluster, and neither controller.quorum.voters nor controller.quorum.bootstrap.servers names another one",
      );
    }
    if (!wasMember && this.#member) {
      throw new ForeignDirectoryError(
        logDirectory,
        "it belongs to a node that was alone, and its configs name others",
      );
    }
  }

  /** Removes what a crash in the middle of a deletion left: groups in the journal, directories on the disk. */
  async #removeStrangers(): Promise<void> {
    const { image } = this.metadata;
    const known = new Set([metadataGroupId]);
    for (const { partitions } of image.topics.values()) {
      for (const { groupId } of partitions) known.add(groupId);
    }
    for (const groupId of this.#storage.recovered.keys()) {
      if (!known.has(groupId)) this.#host.remove(groupId);
    }
    await this.partitions.removeStrangers(image);
  }

  async #serve(): Promise<void> {
    const { config, logger } = this.#options;
    const boundPorts = new Map<string, number>();
    for (const listener of config.listeners)
      boundPorts.set(listener.name, await this.#server.listen(listener));
    this.#endpoints = config.advertisedListeners.map(({ name, host, port }) => ({
      listener: name,
      host,
      port: port === 0 ? (boundPorts.get(name) ?? 0) : port,
    }));
    await this.#register({
      kind: "registerBroker",
      nodeId: config.nodeId,
      incarnation: this.#processId,
      rack: config.rack ?? "",
      endpoints: this.#endpoints,
      directoryId: this.#directory?.directoryId ?? "",
      isFenced: false,
      generation: this.#directory?.generation ?? 0,
      ...(this.#member && { peerHost: this.#member.place.host, peerPort: this.#member.place.port }),
      isControllerOnly: !config.isBroker,
    });
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
    logger.info({ nodeId: config.nodeId, clusterId, listeners, httpPort }, "serving");
  }

  /** @throws Error where the cluster does not take this node, or does not answer */
  async #register(registration: MetadataCommand & { kind: "registerBroker" }): Promise<void> {
    for (;;) {
      const result = await this.metadata.propose(registration);
      if (result.kind === "done") break;
      // What is not known to be done can be done once more.
      if (result.kind === "indefinite" || result.kind === "noController") {
        this.#options.stopping?.throwIfAborted();
        continue;
      }
      const { nodeId, logDirectory } = this.#options.config;
      if (result.kind === "foreignDirectory") {
        throw new ForeignDirectoryError(logDirectory, `node ${nodeId} is registered with another one`);
      }
      if (result.kind === "olderDirectory") {
        throw new ForeignDirectoryError(
          logDirectory,
          `node ${nodeId} has served with a later state of it, and this one has forgotten what was promised since`,
        );
      }
      if (result.kind === "holdsReplicas") {
        throw new Error(
          `Cannot start node ${nodeId} as a controller alone: partitions have replicas on it, which have to be moved first`,
        );
      }
      throw new Error(`Cannot register node ${nodeId}: ${result.kind}`);
    }
    if (this.#member) this.#takePart(this.#member);
  }

  #takePart(member: ClusterMember): void {
    member.watchOver();
    this.#work.every(
      tellLogStartsMs,
      () => this.readReplicas.tell(),
      "cannot tell leaders where replicas begin",
    );
    this.operations.start();
  }

  #follow(image: MetadataImage, previous: MetadataImage): void {
    if (haveBrokerConfigsChanged(image, previous, this.#options.config.nodeId)) this.#applyConfig();
    if (this.#hasWholeImage) this.partitions.follow(image, previous);
    this.#followTopics(topicChanges(image, previous));
    if (this.#metadataKeeper.isSaveDue) {
      this.#metadataKeeper.save().catch((error: unknown) => {
        if (isDiskFull(error)) this.logger.warn({ err: error }, "cannot save the metadata now");
        else this.fail(error);
      });
    }
  }

  #followTopics(changes: TopicChanges): void {
    // What a node of a cluster is told while it joins has happened before.
    if (!this.#member || this.#status.phase === "serving") tellTopics(this.logger, changes);
    const topics = changes.removed.map(({ name }) => name);
    if (topics.length === 0) return;
    for (const topic of topics) this.telemetry.traffic.forget(topic);
    for (const { partitions } of changes.removed)
      this.leaders.forget(partitions.map(({ groupId }) => groupId));
    this.groups.forgetTopics(topics).catch((error: unknown) => {
      this.logger.error({ err: error, topics }, "cannot forget the offsets of deleted topics");
    });
  }

  /** A topic's settings, no batch larger than the journal takes as one entry. */
  #settingsOf(topic: string): TopicSettings {
    const settings = topicSettings(configsOf(this.metadata.image, "topic", topic), this.configLayers());
    const { payloadBytesMax } = this.#storage.journal;
    return { ...settings, maxMessageBytes: Math.min(settings.maxMessageBytes, payloadBytesMax) };
  }

  #applyConfig(): void {
    this.#config = withDynamicConfigs(this.#options.config, this.configLayers());
  }

  async #close(): Promise<void> {
    this.logger.info("stopping");
    this.#status.phase = "stopping";
    this.#work.stop();
    this.operations.stop();
    if (!this.#failure) await this.operations.handOverAll();
    this.#housekeeper.refuseProduce("The broker is stopping");
    this.groups.close();
    await this.#server.close();
    // A goodbye: the others need not find out by themselves that what is led here needs another leader.
    await this.#member?.close();
    try {
      if (!this.#failure) await this.#store();
    } finally {
      await this.#housekeeper.stop();
      await this.#host.stop();
      await this.#release();
    }
    this.logger.info("stopped");
  }

  /** Brings all data into the segments, so that the next start is a short one; the journal has it in any case. */
  async #store(): Promise<void> {
    try {
      // Housekeeping goes on meanwhile: it makes the room that waiting entries need.
      await this.#host.drained();
      await this.#housekeeper.stop();
      await this.partitions.close();
      await this.#housekeeper.releaseJournal();
      await this.#metadataKeeper.save();
      await this.#host.flushFloors();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.logger.warn(
        { err: error },
        "the disk is full: the next start brings the journal into the segments",
      );
    }
  }

  async #release(): Promise<void> {
    try {
      await this.#status.close();
      await this.#storage[Symbol.asyncDispose]();
    } catch (error) {
      // What was told already, or is as it was a moment ago.
      if (!this.#failure && !isDiskFull(error)) throw error;
    }
  }

  /** Lets go of what a failed start has opened. The failure that brought us here is the one to tell. */
  async #abandon(error: unknown): Promise<void> {
    this.#failure ??= { error };
    this.#work.stop();
    this.operations.stop();
    this.#housekeeper.refuseProduce("The broker is stopping");
    this.groups.close();
    await this.#server.close();
    await this.#member?.close();
    await this.partitions.whenAllReady();
    await this.#housekeeper.stop();
    await this.#host.stop();
    await this.#release();
  }
}
