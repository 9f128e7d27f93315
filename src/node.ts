import { strict as assert } from "node:assert";
import type { Logger } from "pino";
import { RaftHost } from "#raft/host/raft-host.ts";
import { isDiskFull } from "#storage/io/file.ts";
import { ClusterMember } from "./cluster/cluster-member.ts";
import { ClusterOperations } from "./cluster/cluster-operations.ts";
import { LeaderDirectory } from "./cluster/leaders/leader-directory.ts";
import type { NodeIdentity } from "./cluster/membership/node-identity-file.ts";
import { register } from "./cluster/membership/registration.ts";
import { LiveConfig } from "./cluster/metadata/live-config.ts";
import type { BrokerEndpoint } from "./cluster/metadata/metadata-command.ts";
import { MetadataFile } from "./cluster/metadata/metadata-file.ts";
import {
  emptyImage,
  haveBrokerConfigsChanged,
  type MetadataImage,
  topicById,
} from "./cluster/metadata/metadata-image.ts";
import { MetadataKeeper } from "./cluster/metadata/metadata-keeper.ts";
import { MetadataStore, metadataGroupId } from "./cluster/metadata/metadata-store.ts";
import { type TopicChanges, topicChanges } from "./cluster/metadata/topic-changes.ts";
import { NodeEntry } from "./cluster/node-entry.ts";
import { ReadReplicas, tellLogStartsMs } from "./cluster/replicas/read-replicas.ts";
import { ReplicaCatchUp } from "./cluster/replicas/replica-catch-up.ts";
import type { BrokerConfig } from "./config/broker-config.ts";
import { Housekeeper } from "./partitions/housekeeper.ts";
import type { Partition } from "./partitions/partition.ts";
import { PartitionManager } from "./partitions/partition-manager.ts";
import { restartPartition } from "./partitions/partition-start.ts";
import type { ProduceGate } from "./partitions/produce-gate.ts";
import { ProducerStore } from "./partitions/producer-store.ts";
import { JournalLogStore } from "./runtime/journal-log-store.ts";
import type { NodeStorage } from "./runtime/node-storage.ts";
import type { Ports } from "./runtime/ports.ts";
import { RepeatedWork } from "./runtime/repeated-work.ts";
import { tellRecovery } from "./telemetry/operator-log.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

/** Who is told what happens on a node. */
export interface NodeOwner {
  /** This node leads it from now on, with everything that was committed before applied. */
  led(partition: Partition): void;
  /** This node leads it no more. */
  unled(partition: Partition): void;
  /** The metadata has other topics than before. */
  topicsChanged(changes: TopicChanges): void;
  /** Storage cannot be trusted any more; told once. */
  failed(error: unknown): void;
}

export interface NodeOptions {
  readonly config: BrokerConfig;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** The node's own from here on. */
  readonly storage: NodeStorage;
  /** Once aborted, a start that waits for other nodes gives up. */
  readonly stopping: AbortSignal | undefined;
  readonly owner: NodeOwner;
}

const journalRetryMs = 100;
/** How long the creation of a topic waits for its partitions' first leaders. */
const firstLeadersMs = 3_000;

/**
 * One node: its disk, its part in the cluster and the replicas on it, without what clients talk to. Reading order:
 * the metadata group brings the image back, partitions follow the image, and the node takes part in the cluster's life.
 */
export class Node implements AsyncDisposable {
  readonly metadata = new MetadataStore();
  readonly leaders = new LeaderDirectory();
  readonly config: LiveConfig;
  readonly partitions: PartitionManager;
  readonly readReplicas: ReadReplicas;
  readonly operations: ClusterOperations;
  readonly gate: ProduceGate;
  readonly host: RaftHost;

  readonly #options: NodeOptions;
  readonly #storage: NodeStorage;
  readonly #keeper: MetadataKeeper;
  readonly #producers: ProducerStore;
  readonly #housekeeper: Housekeeper;
  readonly #work: RepeatedWork;
  /** What this node needs to be one of several; undefined where it is alone. */
  readonly #member: ClusterMember | undefined;
  /** Of a node of a cluster. */
  #directory: NodeIdentity | undefined;
  /** Of this run: it stands in the node's registration. */
  readonly #processId: string;
  /** Whether the image is not older than the last one that this node acted on, in an earlier life. */
  #hasWholeImage = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: NodeOptions) {
    const { config, ports, logger, telemetry, storage, owner } = options;
    const { nodeId } = config;
    const { clock } = ports;
    const { metadata, leaders } = this;
    this.#options = options;
    this.#processId = ports.identity.newUuid();
    this.#storage = storage;
    this.config = new LiveConfig({ config, metadata, batchBytesMax: storage.journal.payloadBytesMax });
    const onFatal = (error: unknown): void => this.fail(error);
    const isReachable = (nodeId: number): boolean => this.isReachable(nodeId);

    const logStore = new JournalLogStore(storage.journal, {
      recovered: storage.recovered,
      clock,
      onFlushed: (durationMs) => telemetry.journalFlushes.observe(durationMs),
    });
    this.#work = new RepeatedWork({ clock, logger });
    this.#member = this.#newMember();
    const host = new RaftHost({
      ...(this.#member && { cluster: this.#member.hostPorts(), catchUp: this.#newCatchUp(this.#member) }),
      ...{ nodeId, onFatal },
      log: logStore,
      schedulePass: (callback) => clock.soon(callback),
      scheduleRetry: (callback) => clock.schedule(journalRetryMs, callback),
    });
    this.host = host;
    this.#keeper = new MetadataKeeper({
      ...{ store: metadata, host },
      file: new MetadataFile(storage, config.logDirectory),
      payloadBytesMax: storage.journal.payloadBytesMax,
      stored: logStore.stored(metadataGroupId),
    });
    const producers = new ProducerStore(storage, config);
    this.#producers = producers;
    const partitions = new PartitionManager({
      ...{ nodeId, host, producers, isReachable, clock, logger, onFatal },
      logs: storage.logs,
      dirty: storage.dirty,
      journalBytes: config.journalFileBytes * config.journalFilesMax,
      storedGroup: (groupId) => logStore.stored(groupId),
      settingsOf: (topic) => this.config.settingsOf(topic),
    });
    this.partitions = partitions;
    partitions.listen({
      led: (partition) => {
        this.#member?.news.leads(partition.groupId, partition.leaderEpoch);
        owner.led(partition);
      },
      unled: (partition) => {
        this.#member?.news.leadsNoMore(partition.groupId);
        owner.unled(partition);
      },
    });
    this.readReplicas = new ReadReplicas({
      nodeId,
      calls: this.#member?.calls,
      isRackAware: () => this.config.current.isRackAware,
      image: () => metadata.image,
      partitions: () => partitions.all(),
    });
    this.operations = new ClusterOperations({
      ...{ config, host, metadata, leaders, partitions, member: this.#member, isReachable, clock, logger },
      isBlocked: () => this.gate.isBlocked,
    });
    this.#housekeeper = new Housekeeper({
      ...{ partitions, host, producers, clock, logger, telemetry, metadataGroupId, onFatal },
      journal: storage.journal,
      logs: storage.logs,
      dirty: storage.dirty,
      files: storage.files,
      config: () => this.config.current,
      saveMetadata: () => this.#keeper.save(),
    });
    this.gate = this.#housekeeper.gate;
  }

  /** Whether this node is one of several. */
  get isMember(): boolean {
    return this.#member !== undefined;
  }

  /** The node that takes administrative requests: the metadata group's leader, where that is a broker and known. */
  get controllerId(): number {
    const { nodeId } = this.#options.config;
    const leader = this.#member?.controllerId ?? nodeId;
    // Clients can only talk to brokers, and any of them brings a request to whoever leads; Kafka, too, names any.
    return this.metadata.image.brokers.has(leader) ? leader : nodeId;
  }

  /** Whether a node can be talked to now; this one always. */
  isReachable(nodeId: number): boolean {
    return this.#member?.isUp(nodeId) ?? true;
  }

  /** Bytes that can still be written where the data lies. */
  freeDiskBytes(): Promise<number> {
    return this.#storage.files.freeBytes(this.#options.config.logDirectory);
  }

  /** Bytes of the whole disk there. */
  totalDiskBytes(): Promise<number> {
    return this.#storage.files.totalBytes(this.#options.config.logDirectory);
  }

  /** Brings back what the disk, and the other nodes, know. @throws ForeignDirectoryError, JournalLostError, and what storage throws */
  async recover(): Promise<void> {
    const { config, ports, logger, stopping } = this.#options;
    const startedMs = ports.clock.monotonicMs();
    const entry = new NodeEntry({
      ...{ config, metadata: this.metadata, keeper: this.#keeper, host: this.host, logger, stopping },
      clock: ports.clock,
      disk: this.#storage,
      hasJournal: this.#storage.recovered.has(metadataGroupId),
      identity: ports.identity,
      steps: {
        follow: () => this.metadata.onChange((image, previous) => this.#follow(image, previous)),
        recovered: () => this.config.refresh(),
        complete: () => {
          this.#hasWholeImage = true;
          this.partitions.follow(this.metadata.image, emptyImage);
        },
      },
    });
    this.#directory = await entry.enter(this.#member);
    await this.partitions.whenAllReady();
    if (this.#failure) throw new Error("Cannot start: storage failed", { cause: this.#failure.error });
    await this.#removeStrangers();
    // A journal that a crash left full gets room only by this; without room nothing below is committed.
    this.#housekeeper.start();
    await this.host.drained();
    tellRecovery(logger, {
      durationMs: ports.clock.monotonicMs() - startedMs,
      topicCount: this.metadata.image.topics.size,
      partitionCount: [...this.partitions.all()].length,
      journal: this.#storage.report,
      tornTails: this.partitions.tornTails,
    });
  }

  /** Announces where clients reach this node, and takes part in the cluster's life. @throws as `register` */
  async takePart(endpoints: readonly BrokerEndpoint[]): Promise<void> {
    const { config, stopping } = this.#options;
    const member = this.#member;
    await register(
      {
        kind: "registerBroker",
        nodeId: config.nodeId,
        incarnation: this.#processId,
        rack: config.rack ?? "",
        endpoints,
        directoryId: this.#directory?.directoryId ?? "",
        isFenced: false,
        generation: this.#directory?.generation ?? 0,
        ...(member && { peerHost: member.place.host, peerPort: member.place.port }),
        isControllerOnly: !config.isBroker,
      },
      { metadata: this.metadata, logDirectory: config.logDirectory, stopping },
    );
    if (!member) return;
    member.watchOver();
    this.#work.every(
      tellLogStartsMs,
      () => this.readReplicas.tell(),
      "cannot tell leaders where replicas begin",
    );
    this.operations.start();
  }

  /** Resolves when a topic's partitions are open here and, as far as that takes no longer than usual, led somewhere. */
  async whenReady(topicId: string): Promise<void> {
    await this.partitions.whenReady(topicId);
    if (!this.#member) return;
    const groupIds = topicById(this.metadata.image, topicId)?.partitions.map(({ groupId }) => groupId) ?? [];
    await this.leaders.whenLed(groupIds, this.#options.ports.clock, firstLeadersMs);
  }

  /** Storage cannot be trusted any more: nothing is promised from here on, and the owner is told. */
  fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    void this.host.stop();
    this.metadata.abandon(error);
    void this.#member?.close();
    this.#options.owner.failed(error);
  }

  /** The first step to a stop: takes no records and begins nothing any more. What it leads goes to others. */
  async retire(): Promise<void> {
    this.#work.stop();
    this.operations.stop();
    if (!this.#failure) await this.operations.handOverAll();
    this.#housekeeper.refuseProduce("The broker is stopping");
  }

  /** The second: a goodbye. The others need not find out by themselves that what is led here needs another leader. */
  async leave(): Promise<void> {
    await this.#member?.close();
  }

  /** The third: brings all data into the segments, and stops. */
  async stop(): Promise<void> {
    try {
      if (!this.#failure) await this.#store();
    } finally {
      await this.#housekeeper.stop();
      await this.host.stop();
    }
  }

  /** The first step of a start that has failed: as `retire`, and nothing is stored any more. */
  abandon(error: unknown): void {
    this.#failure ??= { error };
    this.#work.stop();
    this.operations.stop();
    this.#housekeeper.refuseProduce("The broker is stopping");
  }

  /** The last: lets go of the disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#storage[Symbol.asyncDispose]();
    } catch (error) {
      // What was told already, or is as it was a moment ago.
      if (!this.#failure && !isDiskFull(error)) throw error;
    }
  }

  #newMember(): ClusterMember | undefined {
    const { config, ports, logger } = this.#options;
    const { quorum } = config;
    if (!quorum) return undefined;
    const network = quorum.tls ? ports.securePeers?.(quorum.tls) : ports.peers;
    assert(network, "a node of a cluster needs a network between nodes");
    return new ClusterMember({
      ...{ quorum, network, logger, metadata: this.metadata, leaders: this.leaders },
      processId: this.#processId,
      config: () => this.config.current,
      clock: ports.clock,
      identity: ports.identity,
      checksum: this.#storage.checksum,
    });
  }

  #newCatchUp(member: ClusterMember): ReplicaCatchUp {
    return new ReplicaCatchUp({
      calls: member.calls,
      metadata: this.metadata,
      keeper: { install: (snapshot) => this.#keeper.install(snapshot) },
      partitionOf: (groupId) => this.partitions.ofGroup(groupId),
      restart: (partition, start) => restartPartition(partition, start, this.#producers),
      onFatal: (error) => this.fail(error),
    });
  }

  /** Removes what a crash in the middle of a deletion left: groups in the journal, directories on the disk. */
  async #removeStrangers(): Promise<void> {
    const { image } = this.metadata;
    const known = new Set([metadataGroupId]);
    for (const { partitions } of image.topics.values()) {
      for (const { groupId } of partitions) known.add(groupId);
    }
    for (const groupId of this.#storage.recovered.keys()) {
      if (!known.has(groupId)) this.host.remove(groupId);
    }
    await this.partitions.removeStrangers(image);
  }

  #follow(image: MetadataImage, previous: MetadataImage): void {
    const { config, logger, owner } = this.#options;
    if (haveBrokerConfigsChanged(image, previous, config.nodeId)) this.config.refresh();
    if (this.#hasWholeImage) this.partitions.follow(image, previous);
    const changes = topicChanges(image, previous);
    for (const { partitions } of changes.removed)
      this.leaders.forget(partitions.map(({ groupId }) => groupId));
    owner.topicsChanged(changes);
    if (!this.#keeper.isSaveDue) return;
    this.#keeper.save().catch((error: unknown) => {
      if (isDiskFull(error)) logger.warn({ err: error }, "cannot save the metadata now");
      else this.fail(error);
    });
  }

  /** Brings all data into the segments, so that the next start is a short one; the journal has it in any case. */
  async #store(): Promise<void> {
    try {
      // Housekeeping goes on meanwhile: it makes the room that waiting entries need.
      await this.host.drained();
      await this.#housekeeper.stop();
      await this.partitions.close();
      await this.#housekeeper.releaseJournal();
      await this.#keeper.save();
      await this.host.flushFloors();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#options.logger.warn(
        { err: error },
        "the disk is full: the next start brings the journal into the segments",
      );
    }
  }
}
