import type { Logger } from "pino";
import type { Configuration } from "#raft/core/configuration.ts";
import { nodeIdOf } from "#raft/core/replica-id.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { PartitionImage, TopicImage } from "../metadata/metadata-image.ts";
import { type MetadataStore, metadataGroupId } from "../metadata/metadata-store.ts";
import { type NodeDisks, replicaOn } from "../metadata/node-disks.ts";
import { targetOf } from "../metadata/partition-move.ts";
import { nextStep, type WantedMembers } from "./membership-step.ts";

/** A partition that this node leads. */
export interface LedPartition {
  readonly topic: string;
  readonly index: number;
  readonly groupId: number;
}

export interface MembershipReconcilerOptions {
  readonly metadata: MetadataStore;
  /** The partitions that this node leads. */
  readonly led: () => Iterable<LedPartition>;
  readonly group: (groupId: number) => RaftGroup | undefined;
  readonly logger: Logger;
}

/** How often `check` is to be called. */
export const reconcileIntervalMs = 100;
/** Groups that bring new replicas close at the same time, so that moves of many partitions leave the others room. */
const catchUpsMax = 16;

/** What was found when a group was looked at last: as long as none of it has changed, nothing is to be done. */
interface Seen {
  readonly configuration: Configuration;
  readonly disks: NodeDisks;
  readonly partition: PartitionImage | undefined;
}

interface Work {
  readonly group: RaftGroup;
  readonly term: number;
  readonly commitIndex: number;
}

/**
 * On the leader of each group: brings the group's members to what the metadata wants, a step at a time, and tells the
 * metadata when a move is done. All that it goes by is in the image and in the group itself, so that whoever leads next
 * goes on where this one was.
 */
export class MembershipReconciler {
  readonly #options: MembershipReconcilerOptions;
  readonly #inLine = new WeakMap<RaftGroup, Seen>();
  /** Groups whose members are changing, as they were at the last look. */
  readonly #work = new Map<number, Work>();
  readonly #completing = new Set<number>();
  #wasBusy = false;

  constructor(options: MembershipReconcilerOptions) {
    this.#options = options;
  }

  /** Looks at all groups that are led here. */
  check(): void {
    const { metadata, led, group: groupOf } = this.#options;
    const { topics } = metadata.image;
    const looked = new Set<number>();
    const metadataGroup = groupOf(metadataGroupId);
    if (metadataGroup?.isSettledLeader && !this.#isInLine(metadataGroup)) {
      looked.add(metadataGroupId);
      this.#exchangeDisks(metadataGroup);
    }
    for (const { topic: name, index, groupId } of led()) {
      const topic = topics.get(name);
      const partition = topic?.partitions[index];
      const group = groupOf(groupId);
      if (!topic || !group || partition?.groupId !== groupId || !group.isSettledLeader) continue;
      if (this.#isInLine(group, partition)) continue;
      looked.add(groupId);
      this.#advance(group, topic, partition);
    }
    for (const groupId of this.#work.keys()) if (!looked.has(groupId)) this.#work.delete(groupId);
    this.#tellProgress();
  }

  /** While members are exchanged a group may need nodes that are on their way out: worth knowing before one is stopped. */
  #tellProgress(): void {
    const isBusy = this.#work.size > 0;
    if (isBusy === this.#wasBusy) return;
    this.#wasBusy = isBusy;
    const { logger } = this.#options;
    if (isBusy) logger.info({ groups: this.#work.size }, "groups that are led here get other members");
    else logger.info("the groups that are led here have the members that are wanted");
  }

  #isInLine(group: RaftGroup, partition?: PartitionImage): boolean {
    const seen = this.#inLine.get(group);
    return (
      seen?.configuration === group.configuration &&
      seen.disks === this.#options.metadata.image.disks &&
      seen.partition === partition
    );
  }

  #settle(group: RaftGroup, partition?: PartitionImage): void {
    const { disks } = this.#options.metadata.image;
    this.#inLine.set(group, { configuration: group.configuration, disks, partition });
  }

  /** The metadata group has the same voters for good; only their disks may be others. Nodes without a vote just follow. */
  #exchangeDisks(group: RaftGroup): void {
    const { disks } = this.#options.metadata.image;
    const voters = [...new Set(group.configuration.voters.map((voter) => replicaOn(disks, nodeIdOf(voter))))];
    const wanted = {
      voters,
      isObserver: (learner: number) => learner === replicaOn(disks, nodeIdOf(learner)),
    };
    const isWork = this.#work.has(group.id);
    if (!this.#changeMembers(group, wanted, { isMoving: false })) return;
    if (isWork)
      this.#options.logger.info({ voters }, "the metadata group has a voter on each node's disk again");
    this.#settle(group);
  }

  #advance(group: RaftGroup, topic: TopicImage, partition: PartitionImage): void {
    const target = targetOf(partition);
    const { disks } = this.#options.metadata.image;
    const wanted = { voters: target.map((nodeId) => replicaOn(disks, nodeId)) };
    if (!this.#changeMembers(group, wanted, { isMoving: partition.move !== undefined })) return;
    if (partition.move) this.#complete(topic, partition, target, group);
    else this.#settle(group, partition);
  }

  /** Takes the next step; true where none is left. */
  #changeMembers(group: RaftGroup, wanted: WantedMembers, { isMoving }: { isMoving: boolean }): boolean {
    const { configuration, progress, commitIndex, term, id } = group;
    if (!progress) return false;
    const before = this.#work.get(id);
    const isSame = before?.group === group && before.term === term;
    // At the first look everything that is committed counts, and nobody can have just that.
    const earlierCommitIndex = isSame ? before.commitIndex : Infinity;
    const step = nextStep({ configuration, progress, earlierCommitIndex }, wanted);
    if (step.kind === "inLine") {
      if (!this.#isProven(group, { isMoving })) return false;
      this.#work.delete(id);
      return true;
    }
    if (step.kind === "change" && step.startsCatchUp && !isSame && this.#work.size >= catchUpsMax)
      return false;
    this.#work.set(id, { group, term, commitIndex });
    if (step.kind === "change") group.changeMembership(step.change);
    return false;
  }

  /**
   * Whether those who are left find out by themselves, after a restart of all, that they do without the others: until then
   * they would ask votes of replicas that are gone. The configuration once more is what tells them.
   */
  #isProven(group: RaftGroup, { isMoving }: { isMoving: boolean }): boolean {
    const proof = group.configurationProof;
    // A floor may be on its way to the disk; who has left must not delete anything before it is there.
    if (proof === "repeated" || (proof === "floor" && !isMoving)) return true;
    group.changeMembership({ kind: "auto", steps: [] });
    return false;
  }

  #complete(
    { id: topicId, name }: TopicImage,
    partition: PartitionImage,
    replicas: readonly number[],
    { lastCommitted: settledAt }: RaftGroup,
  ): void {
    const { groupId, index } = partition;
    if (this.#completing.has(groupId)) return;
    this.#completing.add(groupId);
    const { metadata, logger } = this.#options;
    metadata
      .propose({ kind: "completeMove", topicId, partition: index, replicas, settledAt })
      .then((result) => {
        if (result.kind === "done")
          logger.info({ partition: `${name}-${index}`, replicas }, "moved a partition");
      })
      // What is not known to be done is tried again.
      .catch(() => undefined)
      .finally(() => this.#completing.delete(groupId));
  }
}
