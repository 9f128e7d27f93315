import type { Logger } from "pino";
import { nodeIdOf } from "#raft/core/replica-id.ts";
import type { ClusterPorts } from "#raft/host/cluster.ts";
import type { RaftHost } from "#raft/host/raft-host.ts";
import type { Checksum } from "#raft/transport/frame.ts";
import type { PeerNetwork } from "#raft/transport/network.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import { formatVoter, type QuorumConfig, type QuorumVoter } from "../config/quorum.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Identity } from "../runtime/identity.ts";
import { LongWait } from "../runtime/long-wait.ts";
import { RepeatedWork } from "../runtime/repeated-work.ts";
import type { LeaderDirectory } from "./leaders/leader-directory.ts";
import { LeaderNews } from "./leaders/leader-news.ts";
import { DiskReplacement } from "./membership/disk-replacement.ts";
import { Liveness } from "./membership/liveness.ts";
import { MetadataForwarder } from "./membership/metadata-forwarder.ts";
import { MetadataObservers } from "./membership/metadata-observers.ts";
import { ForeignDirectoryError, type NodeIdentity } from "./membership/node-identity-file.ts";
import type { BrokerRegistration } from "./metadata/metadata-command.ts";
import { registrationOf } from "./metadata/metadata-image.ts";
import { type MetadataStore, metadataGroupId, NotMetadataLeaderError } from "./metadata/metadata-store.ts";
import { incarnationOn, type NodeDisks, replicaOn } from "./metadata/node-disks.ts";
import { KnownNodes } from "./network/known-nodes.ts";
import type { NodeCalls } from "./network/node-calls.ts";
import { NodeNetwork, type OwnState } from "./network/node-network.ts";
import { QuorumSearch } from "./network/quorum-search.ts";

export interface ClusterMemberOptions {
  readonly quorum: QuorumConfig;
  /** Of this run of the process. */
  readonly processId: string;
  readonly config: () => BrokerConfig;
  readonly metadata: MetadataStore;
  readonly leaders: LeaderDirectory;
  readonly network: PeerNetwork;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly checksum: Checksum;
  readonly logger: Logger;
}

/** How often liveness is judged, and how often a node that waits to join looks again. */
const livenessCheckMs = 500;
const observersCheckMs = 500;
const joinRetryMs = 50;
const askAgainMs = 1_000;

/**
 * What makes a node one of several: its connections, the way of its commands to the metadata group's leader, and what
 * nodes tell each other.
 */
export class ClusterMember {
  readonly news: LeaderNews;
  /** How nodes ask each other. */
  readonly calls: NodeCalls;
  readonly #options: ClusterMemberOptions;
  readonly #network: NodeNetwork;
  readonly #forwarder: MetadataForwarder;
  readonly #liveness: Liveness;
  readonly #observers: MetadataObservers;
  readonly #disks: DiskReplacement;
  readonly #work: RepeatedWork;
  #host: RaftHost | undefined;
  #directory: NodeIdentity | undefined;
  /** Of the metadata group, as written down by the operator or learned from others; empty while neither is. */
  #voters: readonly QuorumVoter[];
  #isListening = false;
  #isOpen = false;
  #isClosed = false;

  constructor(options: ClusterMemberOptions) {
    this.#options = options;
    const { metadata, quorum, network, clock, identity, checksum, logger, leaders, processId } = options;
    const { nodeId } = options.config();
    const { listener, host, voters } = quorum;
    this.#voters = voters;
    this.#work = new RepeatedWork({ clock, logger });
    const nodes = new KnownNodes({
      ...{ nodeId, voters },
      learned: () => this.#voters,
      registrations: () => this.#registrations(),
    });
    this.#network = new NodeNetwork({
      ...{ nodeId, processId, listener, host, nodes, network, clock, identity, checksum, logger },
      own: () => this.#own(),
      registrationOf: (other) => registrationOf(metadata.image, other),
      diskOf: (other) => metadata.image.disks.get(other),
      replaceDisk: (other, directoryId) => this.#disks.replace(other, directoryId),
      isVoter: (other) => this.#isVoter(other),
    });
    this.#disks = new DiskReplacement({
      metadata,
      clock,
      logger,
      ask: (server) => this.#network.ask(server),
    });
    metadata.onChange((image, previous) => {
      const { brokers, controllers, disks } = image;
      if (disks !== previous.disks) this.#forgetLostDisks(disks, previous.disks);
      const areSame = brokers === previous.brokers && controllers === previous.controllers;
      if (this.#isOpen && !(areSame && disks === previous.disks)) this.#network.refreshPeers();
    });
    const { calls } = this.#network;
    this.calls = calls;
    this.news = new LeaderNews({
      ...{ nodeId, calls, leaders },
      peers: () => this.#network.reachable(),
      soon: (callback) => clock.soon(callback),
    });
    this.#forwarder = new MetadataForwarder({
      ...{ nodeId, processId, calls, clock },
      leaderNodeId: () => this.controllerId,
      term: () => this.#host?.group(metadataGroupId)?.term ?? 0,
      catchUp: async () => {
        const group = this.#host?.group(metadataGroupId);
        if (!group) throw new NotMetadataLeaderError();
        await group.readIndex();
      },
      proposeHere: (payload) => metadata.proposeHere(payload),
      watch: (proposal) => metadata.watch(proposal),
      forget: (proposal) => metadata.forget(proposal),
      whenApplied: (index) => metadata.whenApplied(index),
    });
    metadata.forwardTo((payload) => this.#forwarder.propose(payload));
    this.#liveness = new Liveness({
      ...{ nodeId, metadata, clock, logger },
      isUp: (other) => this.#network.isUp(other),
      isController: () => this.#isController,
      sessionTimeoutMs: () => options.config().sessionTimeoutMs,
    });
    this.#observers = new MetadataObservers({
      group: () => this.#host?.group(metadataGroupId),
      registered: () => [...this.#registrations()].map(({ nodeId: other }) => other),
      reachable: () => this.#network.reachable(),
      replicaOn: (other) => replicaOn(metadata.image.disks, other),
    });
  }

  /** The node that leads the metadata group, -1 for none that is known. */
  get controllerId(): number {
    return this.#host?.group(metadataGroupId)?.leaderNodeId ?? -1;
  }

  /** Where the other nodes reach this one. */
  get place(): { readonly host: string; readonly port: number } {
    return this.#network.place;
  }

  /** Whether a node can be talked to now. */
  isUp(nodeId: number): boolean {
    return nodeId === this.#options.config().nodeId || this.#network.isUp(nodeId);
  }

  /** What the replication groups need of the network. */
  hostPorts(): ClusterPorts {
    const { clock, identity } = this.#options;
    return {
      clock,
      send: (nodeId, frame) => this.#network.transport.send(nodeId, frame),
      incarnationOf: (nodeId) => this.#network.incarnationOf(nodeId),
      randomBelow: (below) => Math.floor(identity.newFraction() * below),
    };
  }

  /** The nodes that vote in the metadata group from the beginning where this is one of them, else none. */
  get founders(): readonly number[] {
    const founders = this.#voters.map(({ nodeId }) => nodeId);
    return founders.includes(this.#options.config().nodeId) ? founders : [];
  }

  /**
   * Who votes in the metadata group, where that has to be found out; the others are waited for, and the port between
   * nodes is open then. @throws QuorumError, and what `remember` throws
   */
  async findVoters(
    directory: NodeIdentity,
    remember: (voters: readonly QuorumVoter[]) => Promise<void>,
  ): Promise<readonly QuorumVoter[]> {
    if (this.#voters.length > 0) return this.#voters;
    const { quorum, config, processId, clock, logger } = this.#options;
    // Once there is a cluster its founders are settled; before that they may still have to agree.
    if (directory.clusterId !== "" && directory.voters) {
      this.#voters = directory.voters;
      return this.#voters;
    }
    await this.#listen(directory);
    const { nodeId, isBroker, isController } = config();
    const search = new QuorumSearch({
      ...{ nodeId, processId, clock, logger, servers: quorum.servers, roles: { isBroker, isController } },
      ask: (server) => this.#network.ask(server),
      remembered: directory.voters ?? [],
      remember: async (voters) => {
        await remember(voters);
        this.#voters = voters;
      },
      isClosed: () => this.#isClosed,
    });
    this.#voters = await search.find();
    logger.info({ voters: this.#voters.map(formatVoter) }, "found who votes in the metadata group");
    return this.#voters;
  }

  /** Waits until the cluster takes a disk in the place of the one that this node has lost; answers which one it is. */
  async replaceDisk(directory: NodeIdentity): Promise<number> {
    const { nodeId } = directory;
    const { voters, servers } = this.#options.quorum;
    this.#directory = directory;
    const others = voters.filter((voter) => voter.nodeId !== nodeId);
    return await this.#disks.askFor([...others, ...servers], { isClosed: () => this.#isClosed });
  }

  /** Connects with the other nodes on behalf of a host whose metadata group is up. */
  async open(host: RaftHost, directory: NodeIdentity): Promise<void> {
    this.#host = host;
    const { leaders } = this.#options;
    this.#network.attach({
      receiver: {
        receive: (from, frame) => {
          if (frame.kind === "pass") host.receive(from, frame);
        },
        lost: (peer) => host.lost(peer),
      },
      watcher: {
        up: (nodeId) => {
          leaders.setGone(nodeId, false);
          this.news.reachable(nodeId);
          this.#observers.check();
        },
        // A silent one may be reached by clients all the same; one that closed its connections hardly.
        down: (nodeId, cause) => leaders.setGone(nodeId, cause === "reset" || cause === "left"),
        drained: (nodeId) => {
          this.news.drained(nodeId);
          host.outboxDrained(nodeId);
        },
      },
    });
    await this.#listen(directory);
    this.#isOpen = true;
    this.#network.refreshPeers();
    this.#work.every(
      observersCheckMs,
      () => this.#observers.check(),
      "cannot judge who follows the metadata",
    );
  }

  /** Resolves once this node has all that the cluster's metadata was when it was asked. @throws ForeignDirectoryError */
  async join(logDirectory: string): Promise<void> {
    const { metadata, clock, identity, logger } = this.#options;
    const wait = new LongWait(clock);
    let askedMs = clock.monotonicMs();
    while (metadata.image.clusterId === "" || !(await this.#isCaughtUp())) {
      if (this.#isClosed) throw new Error("Cannot join the cluster: the broker is stopping");
      if (this.#isController && metadata.image.clusterId === "") {
        const clusterId = this.#directory?.clusterId || identity.newUuid();
        await metadata.propose({ kind: "nameCluster", clusterId });
      } else {
        await sleep(clock, joinRetryMs);
      }
      if (clock.monotonicMs() - askedMs > askAgainMs) {
        askedMs = clock.monotonicMs();
        void this.#askAround();
      }
      wait.tell(() =>
        logger.warn({ voters: this.#voters.map(formatVoter) }, "waiting for a majority of the voters"),
      );
    }
    const known = this.#directory?.clusterId ?? "";
    const { clusterId } = metadata.image;
    if (known !== "" && known !== clusterId) {
      throw new ForeignDirectoryError(logDirectory, `it belongs to cluster "${known}", not "${clusterId}"`);
    }
  }

  /** Begins to look after who lives. */
  watchOver(): void {
    this.#work.every(livenessCheckMs, () => this.#liveness.check(), "cannot judge which brokers live");
  }

  /** Tells nobody anything any more, and waits for nobody. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#work.stop();
    this.#forwarder.close();
    await this.#network.close();
  }

  async #listen(directory: NodeIdentity): Promise<void> {
    this.#directory = directory;
    if (this.#isListening) return;
    this.#isListening = true;
    await this.#network.listen();
  }

  /** Nodes may have moved since their addresses were learned. */
  async #askAround(): Promise<void> {
    const { servers } = this.#options.quorum;
    await Promise.allSettled(servers.map((server) => this.#network.ask(server)));
    if (!this.#isClosed) this.#network.refreshPeers();
  }

  #own(): OwnState {
    const { metadata, config } = this.#options;
    const { nodeId, isController } = config();
    const { clusterId = "", directoryId = "", generation = 0, incarnation = 0 } = this.#directory ?? {};
    return {
      clusterId: metadata.image.clusterId || clusterId,
      ...{ directoryId, generation, incarnation, replacesDisk: this.#disks.isAsking },
      isVoter: this.#voters.some((voter) => voter.nodeId === nodeId),
      isController,
      voters: this.#voters,
    };
  }

  /** From a lost disk nothing will be heard any more, whatever comes from its node. */
  #forgetLostDisks(disks: NodeDisks, previous: NodeDisks): void {
    for (const { nodeId, incarnation } of previous.values()) {
      if (incarnationOn(disks, nodeId) !== incarnation) this.#host?.lost({ nodeId, incarnation });
    }
  }

  #registrations(): Iterable<BrokerRegistration> {
    const { brokers, controllers } = this.#options.metadata.image;
    return controllers.size === 0 ? brokers.values() : [...brokers.values(), ...controllers.values()];
  }

  /** The group knows who votes in it, and before it does the operator's list says so. */
  #isVoter(nodeId: number): boolean | undefined {
    const { voters = [], outgoing = [] } = this.#host?.group(metadataGroupId)?.configuration ?? {};
    if (voters.length > 0) return [...voters, ...outgoing].some((replica) => nodeIdOf(replica) === nodeId);
    return this.#voters.length === 0 ? undefined : this.#voters.some((voter) => voter.nodeId === nodeId);
  }

  get #isController(): boolean {
    return this.#host?.group(metadataGroupId)?.isSettledLeader ?? false;
  }

  /** Whether everything that was committed by now is applied here. */
  async #isCaughtUp(): Promise<boolean> {
    try {
      await this.#host?.group(metadataGroupId)?.readIndex();
      return true;
    } catch {
      // Nobody leads, or did until just now.
      return false;
    }
  }
}
