import type { Logger } from "pino";
import type { RaftHost } from "#raft/host/raft-host.ts";
import { isDiskFull } from "#storage/io/file.ts";
import type { SmallFileDisk } from "#storage/snapshots/small-file.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Identity } from "../runtime/identity.ts";
import { LongWait } from "../runtime/long-wait.ts";
import type { ClusterMember } from "./cluster-member.ts";
import {
  ForeignDirectoryError,
  JournalLostError,
  type NodeIdentity,
  NodeIdentityFile,
} from "./membership/node-identity-file.ts";
import type { MetadataKeeper } from "./metadata/metadata-keeper.ts";
import type { MetadataStore } from "./metadata/metadata-store.ts";

const roomRetryMs = 500;

export interface NodeEntryOptions {
  readonly config: BrokerConfig;
  readonly disk: SmallFileDisk;
  /** Whether the journal was there. */
  readonly hasJournal: boolean;
  readonly metadata: MetadataStore;
  readonly keeper: MetadataKeeper;
  readonly host: RaftHost;
  readonly identity: Identity;
  /** Once aborted, a node that waits for others gives up. */
  readonly stopping: AbortSignal | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly steps: EntrySteps;
}

/** What the owner has to do in between. */
export interface EntrySteps {
  /** From here on every new image is to be heeded. */
  readonly follow: () => void;
  /** What this node knew of the metadata when it ended is there. */
  readonly recovered: () => void;
  /** The image is not older than what this node has acted on in an earlier life: it can go by it. */
  readonly complete: () => void;
}

/** How a node finds itself and its cluster again, or for the first time: alone, or as one of several. */
export class NodeEntry {
  readonly #options: NodeEntryOptions;
  readonly #file: NodeIdentityFile;

  constructor(options: NodeEntryOptions) {
    this.#options = options;
    this.#file = new NodeIdentityFile(options.disk, options.config.logDirectory);
  }

  /** Resolves, once the metadata is there, with whose directory this is; undefined for a node that is alone. */
  async enter(member: ClusterMember | undefined): Promise<NodeIdentity | undefined> {
    const known = await this.#file.load(this.#options.config.nodeId);
    this.#refuseLostJournal(known);
    this.#refuseOtherKind(known, { isMember: member !== undefined });
    if (member) return await this.#join(member, known);
    await this.#enterAlone(known);
    return undefined;
  }

  async #enterAlone(known: NodeIdentity | undefined): Promise<void> {
    const { config, metadata, keeper, identity, steps } = this.#options;
    const { nodeId } = config;
    await keeper.recover([nodeId]);
    steps.recovered();
    steps.follow();
    steps.complete();
    if (metadata.image.clusterId === "") {
      const clusterId = known?.clusterId ?? identity.newUuid();
      await metadata.propose({ kind: "nameCluster", clusterId });
    }
    if (!known) {
      const { clusterId } = metadata.image;
      await this.#file.save({ nodeId, clusterId, directoryId: "" });
    }
  }

  /** What is committed of the metadata only the other nodes can tell: a majority of them is waited for. */
  async #join(member: ClusterMember, known: NodeIdentity | undefined): Promise<NodeIdentity> {
    const { config, metadata, keeper, host, identity, stopping, steps } = this.#options;
    const { nodeId, logDirectory } = config;
    const file = this.#file;
    const found = {
      nodeId,
      clusterId: known?.clusterId ?? "",
      directoryId: known?.directoryId || identity.newUuid(),
      generation: (known?.generation ?? 0) + 1,
      incarnation: known?.incarnation ?? 0,
      ...(known?.voters && { voters: known.voters }),
    };
    // Counted before anybody hears of this start: a copy of an earlier state of the directory gives itself away.
    if (known) await this.#saveOnceThereIsRoom(found);
    steps.follow();
    stopping?.addEventListener("abort", () => void member.close(), { once: true });
    const isReplacement = !known && config.replacesDisk;
    const directory = isReplacement ? { ...found, incarnation: await member.replaceDisk(found) } : found;
    host.identify(directory.incarnation);
    const voters = await member.findVoters(directory, (found) => file.save({ ...directory, voters: found }));
    // What replaces a lost disk has founded nothing.
    await keeper.recover(directory.incarnation > 0 ? [] : member.founders);
    steps.recovered();
    await member.open(host, directory);
    stopping?.throwIfAborted();
    await member.join(logDirectory);
    // Not before: what this node has of the image may be older than what it has done, such as to remove a replica.
    steps.complete();
    const { clusterId } = metadata.image;
    if (!known?.clusterId || !known.voters) await file.save({ ...directory, clusterId, voters });
    return directory;
  }

  /** A full disk is no reason to end: whoever makes room for it need not start the node as well. */
  async #saveOnceThereIsRoom(found: NodeIdentity): Promise<void> {
    const { clock, stopping, logger } = this.#options;
    const wait = new LongWait(clock);
    for (;;) {
      try {
        return await this.#file.save(found);
      } catch (err) {
        if (!isDiskFull(err)) throw err;
        wait.tell(() => logger.warn({ err }, "waiting for room on the disk to join the cluster"));
      }
      await sleep(clock, roomRetryMs);
      stopping?.throwIfAborted();
    }
  }

  /** A node that has served before has a journal; without it, what it acknowledged last is lost. */
  #refuseLostJournal(known: NodeIdentity | undefined): void {
    const { config, hasJournal, logger } = this.#options;
    // A node that has only agreed with others to found a cluster has served nobody yet.
    if (!known?.clusterId || hasJournal) return;
    const lost = new JournalLostError(config.logDirectory);
    if (!config.acceptCorruption) throw lost;
    logger.error({ err: lost }, "the journal is lost, and that was accepted");
  }

  /** The journal of a node that is alone knows nothing of other voters, nor the other way round. */
  #refuseOtherKind(known: NodeIdentity | undefined, { isMember }: { readonly isMember: boolean }): void {
    if (!known) return;
    const { logDirectory } = this.#options.config;
    const wasMember = known.directoryId !== "";
    if (wasMember === isMember) return;
    throw new ForeignDirectoryError(
      logDirectory,
      wasMember
        ? "it belongs to a node of a cluster, and neither controller.quorum.voters nor controller.quorum.bootstrap.servers names another one"
        : "it belongs to a node that was alone, and its configs name others",
    );
  }
}
