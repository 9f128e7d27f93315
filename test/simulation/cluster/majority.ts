import type { ProduceTask } from "../clients/producer.ts";
import type { Heal } from "../plan/apply-fault.ts";
import type { MajorityPlan, Plan, TopicPlan } from "../plan/plan.ts";
import type { Links } from "../world/links.ts";
import type { SimulatedNode } from "./node.ts";
import type { Violation } from "./violation.ts";

/** Takes nodes out of the cluster, `far` being all other hosts that they are cut off from; the answer brings them back. */
export function disableNodes(
  nodes: readonly SimulatedNode[],
  { state, far, links }: { state: MajorityPlan["state"]; far: readonly string[]; links: Links },
): Heal {
  const cuts = nodes.flatMap(({ host }) =>
    far.flatMap((other) => [
      ...(state === "cut" || state === "cutIn" ? [{ from: other, to: host }] : []),
      ...(state === "cut" || state === "cutOut" ? [{ from: host, to: other }] : []),
    ]),
  );
  for (const { from, to } of cuts) links.cut(from, to);
  for (const node of nodes) {
    if (state === "down") node.crash("prefix", { isPowerLost: true });
    if (state === "paused") node.pause();
  }
  return () => {
    for (const { from, to } of cuts) links.heal(from, to);
    for (const node of nodes) if (state === "paused") node.resume();
  };
}

/** One batch for every partition: each must take it. */
export function probeTasks(topics: readonly TopicPlan[]): ProduceTask[] {
  return topics.flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => {
      return { topic, partition, atMs: 1, recordCount: 1, sizeBytes: 20 };
    }),
  );
}

/** The term in which each partition is led, by group, as far as these nodes lead them. */
export function ledTermsOf(nodes: Iterable<SimulatedNode>): Map<number, number> {
  const led = [...nodes].flatMap(({ broker }) =>
    [...(broker?.partitions.all() ?? [])].filter(({ isLeader }) => isLeader),
  );
  return new Map(led.map(({ groupId, leaderEpoch }) => [groupId, leaderEpoch]));
}

/** The highest term that these nodes have reached, by group: one that was campaigning is ahead of who leads. */
export function termsOf(nodes: Iterable<SimulatedNode>): Map<number, number> {
  const terms = new Map<number, number>();
  for (const { broker } of nodes) {
    for (const { groupId, leaderEpoch } of broker?.partitions.all() ?? []) {
      terms.set(groupId, Math.max(leaderEpoch, terms.get(groupId) ?? 0));
    }
  }
  return terms;
}

/** Where the replicas of each partition are and are to be, by group, as the best informed of these nodes knows. */
export function placesOf(nodes: Iterable<SimulatedNode>): Map<number, string> {
  const images = [...nodes].flatMap(({ broker }) => broker?.metadata.image ?? []);
  const newest = images.toSorted((a, b) => b.index - a.index)[0];
  const partitions = [...(newest?.topics.values() ?? [])].flatMap((topic) => topic.partitions);
  return new Map(
    partitions.map(({ groupId, replicas, move }) => [groupId, JSON.stringify({ replicas, move })]),
  );
}

/** Whether nothing but who comes back could end a leadership: no transfer is due, and no delay looks like a death. */
export function isCalm({ brokerConfigs, links, disk, clients }: Plan): boolean {
  const isRebalanced =
    brokerConfigs["auto.leader.rebalance.enable"] === "true" ||
    clients.some(
      (client) => client.kind === "admin" && client.tasks.some(({ kind }) => kind === "electLeaders"),
    );
  const isLinkSlow = links.slowChance > 0 && links.slowUs > 20_000;
  const isDiskSlow = disk.slowChance > 0 && disk.slowUs > 10_000;
  return !isRebalanced && !isLinkSlow && !isDiskSlow;
}

/**
 * Leaderships that a node has ended by coming back: what PreVote is to prevent. Who was away in the midst of an election
 * that it could have won brings its term back (`terms`), and Raft lets that one count.
 */
export function disturbances(
  before: { readonly led: ReadonlyMap<number, number>; readonly places: ReadonlyMap<number, string> },
  terms: ReadonlyMap<number, number>,
  nodes: readonly SimulatedNode[],
): Violation[] {
  const after = ledTermsOf(nodes);
  const places = placesOf(nodes);
  return [...before.led].flatMap(([groupId, term]) => {
    const now = after.get(groupId);
    // Who leaves a group hands over.
    if (places.get(groupId) !== before.places.get(groupId)) return [];
    if (now === undefined || now === term || (terms.get(groupId) ?? 0) > term) return [];
    const details = `group ${groupId} was led in term ${term}, and in ${now} once all were back`;
    return { kind: "leaderDisturbed", details };
  });
}
