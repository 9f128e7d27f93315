import type { AdminTask } from "../clients/admin.ts";
import type { TopicPartition } from "../clients/cluster-client.ts";
import type { ProduceTask } from "../clients/producer.ts";
import type { SeekTask } from "../clients/reader.ts";
import { type Random, RandomStreams } from "../world/random.ts";
import type { Blow, Fault, Prey } from "./fault.ts";
import type { ClientPlan, Plan, TightRaft, TopicPlan } from "./plan.ts";
import { type PlanOptions, planOfSeed, reassignTaskOf } from "./plan-of-seed.ts";

/** Blows that a hunt may be made of: some leave a tail behind, some lose one, some let messages arrive late or twice. */
const blowSets: readonly (readonly Blow[])[] = [
  ["cut"],
  ["sever"],
  ["sever", "hangUp"],
  ["cut", "cutOut", "cutIn", "cutHalf"],
  ["sever", "kill"],
  ["cutOut", "kill", "resets"],
  ["kill"],
  ["kill", "resets", "stall"],
  ["resets", "cutHalf"],
  ["stall"],
  ["stall", "cut"],
  ["pause", "stall", "hangUp"],
];

/** What a run is about: what clients do most, and whose leaders are hunted. */
type Focus = "records" | "groups" | "metadata";

const focuses: readonly Focus[] = ["records", "records", "records", "groups", "metadata"];
const preysOf: Readonly<Record<Focus, readonly Prey[]>> = {
  records: ["partition"],
  groups: ["coordinator", "coordinator", "partition"],
  metadata: ["metadata", "metadata", "partition"],
};

/**
 * Draws a short run in which leaders hardly ever stay: whoever wins is struck, while small batches keep coming, disks and
 * links are slow, and appends carry a few entries each. It begins from what the seed is otherwise, which stays as it is.
 */
export function contendedPlanOfSeed(options: PlanOptions): Plan {
  const wide = planOfSeed(options);
  const streams = new RandomStreams(options.seed);
  const random = streams.stream("contention");
  const safetyMs = random.between(4_000, 14_000);
  const topics = [topicOf(random)];
  const places = Array.from({ length: topics[0]?.partitions ?? 1 }, (_, partition) => ({
    topic: "t0",
    partition,
  }));
  const { tight, majority } = wide;
  const isWide = random.chance(0.3);
  const focus = random.pick(focuses);
  return {
    ...wide,
    safetyMs,
    brokerConfigs: { ...wide.brokerConfigs, "offsets.topic.num.partitions": "1" },
    links: {
      delayUs: random.pick([50, 1_000, 5_000, 20_000]),
      jitterUs: random.pick([20, 1_000, 10_000]),
      slowChance: random.pick([0, 0.01, 0.05]),
      slowUs: random.pick([20_000, 300_000]),
      splitChance: random.pick([0, 0.1]),
    },
    disk: {
      writeUs: random.pick([80, 2_000, 20_000, 80_000]),
      readUs: random.pick([50, 2_000]),
      slowChance: random.pick([0, 0.02, 0.1]),
      slowUs: random.pick([20_000, 400_000]),
    },
    topics,
    clients: [
      ...clientsOf(random, { wide, safetyMs, places, isWide, focus }),
      ...electorsOf(streams.stream("elections"), safetyMs),
    ],
    faults: [
      ...huntsOf(random, safetyMs, preysOf[focus]),
      ...(isWide ? strayFaultsOf(random, wide, safetyMs) : []),
    ],
    majority: random.chance(0.3) ? majority : undefined,
    tight: random.chance(0.8) ? tightnessOf(random) : tight,
  };
}

function topicOf(random: Random): TopicPlan {
  const configs = { "min.insync.replicas": "2", ...(random.chance(0.3) && { "segment.ms": "1000" }) };
  return { name: "t0", partitions: random.pick([1, 1, 2]), configs };
}

function tightnessOf(random: Random): TightRaft {
  return { entriesMax: random.pick([1, 1, 2, 5, 1_000]), recentBytesMax: random.pick([0, 0, 500, 4 << 20]) };
}

function clientsOf(
  random: Random,
  of: {
    wide: Plan;
    safetyMs: number;
    places: readonly TopicPartition[];
    isWide: boolean;
    focus: Focus;
  },
): ClientPlan[] {
  const { wide, safetyMs, places, isWide, focus } = of;
  const producers = Array.from({ length: random.between(1, 4) }, (_, at): ClientPlan => {
    const isIdempotent = at === 0 || random.chance(0.5);
    const tasks = tasksOf(random, safetyMs, places);
    return {
      kind: "producer",
      name: `producer-${at}`,
      isIdempotent,
      acks: isIdempotent ? -1 : random.pick([-1, 1, 0]),
      inFlightMax: random.pick([1, 5, 5]),
      retries: isIdempotent || random.chance(0.5),
      deliveryTimeoutMs: random.pick([1_500, 3_000, 3_000, 120_000]),
      compression: "none",
      tasks,
    };
  });
  const others = wide.clients
    .filter(({ kind }) => kind === "reader" || (isWide && kind === "admin"))
    .map((client) => within(random, client, { safetyMs, places }));
  if (focus === "groups") others.push(...membersOf(random, safetyMs));
  if (focus === "metadata") others.push(configurerOf(random, safetyMs));
  return [...producers, ...others, ...moversOf(random, { safetyMs, places, nodeCount: wide.hosts.length })];
}

/** A group that commits what it has read all the time. */
function membersOf(random: Random, safetyMs: number): ClientPlan[] {
  const bounds = { maxWaitMs: 50, minBytes: 1, maxBytes: 50 << 20, partitionMaxBytes: 1 << 20 };
  return Array.from({ length: random.between(1, 2) }, (_, at) => ({
    kind: "member",
    name: `member-${at}`,
    groupId: "g0",
    topics: ["t0"],
    sessionTimeoutMs: random.pick([2_000, 6_000]),
    commitEveryMs: 100,
    bounds,
    joinsAtMs: random.between(1, safetyMs / 4),
    leavesAtMs: safetyMs * 1_000,
  }));
}

/** Somebody who changes and reads a config all the time. */
function configurerOf(random: Random, safetyMs: number): ClientPlan {
  const tasks = Array.from({ length: Math.floor(safetyMs / 150) }, (_, at): AdminTask => {
    const atMs = 1 + at * 150;
    if (random.chance(0.4)) return { kind: "readConfig", atMs, topic: "t0" };
    return { kind: "alterConfig", atMs, topic: "t0", value: random.between(1, 1_000_000) };
  });
  return { kind: "admin", name: "configurer", tasks };
}

/** Somebody who has leadership handed back all the time, from whoever got it when the leader was struck. */
function electorsOf(random: Random, safetyMs: number): ClientPlan[] {
  if (random.chance(0.5)) return [];
  const everyMs = random.pick([300, 1_000, 3_000]);
  const tasks = Array.from({ length: Math.floor(safetyMs / everyMs) }, (_, at): AdminTask => {
    return { kind: "electLeaders", atMs: 1 + at * everyMs + random.below(everyMs) };
  });
  return [{ kind: "admin", name: "elector", tasks }];
}

/** Somebody who moves the partitions about, where there are nodes to move them to. */
function moversOf(
  random: Random,
  { safetyMs, ...bounds }: { safetyMs: number; places: readonly TopicPartition[]; nodeCount: number },
): ClientPlan[] {
  if (bounds.nodeCount === 3 || random.chance(0.3)) return [];
  const tasks = Array.from({ length: random.between(2, 8) }, (): AdminTask => {
    return reassignTaskOf(random, random.between(1, safetyMs), bounds);
  });
  return [{ kind: "admin", name: "mover", tasks: tasks.sort((a, b) => a.atMs - b.atMs) }];
}

/** Clients of the wide plan, as far as they fit into the shorter and smaller one. */
function within(
  random: Random,
  client: ClientPlan,
  { safetyMs, places }: { safetyMs: number; places: readonly TopicPartition[] },
): ClientPlan {
  switch (client.kind) {
    case "reader":
      return { ...client, partitions: places, tasks: seeksOf(random, safetyMs) };
    case "admin": {
      const isThere = (task: AdminTask) =>
        !("topic" in task) ||
        (!["t1", "t2"].includes(task.topic) && (!("partition" in task) || task.partition < places.length));
      const tasks = client.tasks.filter(isThere).map((task) => ({ ...task, atMs: Math.ceil(task.atMs / 4) }));
      return { ...client, tasks };
    }
    case "producer":
    case "member":
      return client;
    default:
      return client satisfies never;
  }
}

/** Some look for the end of the log all the time: a leader that is none any more must not answer them. */
function seeksOf(random: Random, safetyMs: number): SeekTask[] {
  const everyMs = random.pick([100, 1_000, 5_000]);
  return Array.from({ length: Math.floor(safetyMs / everyMs) }, (_, at) => {
    return { atMs: 1 + at * everyMs, to: random.pick(["end", "end", "back", "start"] as const) };
  });
}

function tasksOf(random: Random, safetyMs: number, places: readonly TopicPartition[]): ProduceTask[] {
  const everyMs = random.pick([30, 80, 200]);
  const burst = random.pick([1, 1, 4]);
  const sizeBytes = random.pick([20, 20, 300, 20_000]);
  return Array.from({ length: Math.floor(safetyMs / everyMs / burst) }, (_, at) => at).flatMap((at) => {
    const atMs = 1 + at * everyMs * burst + random.below(everyMs);
    const place = random.pick(places);
    return Array.from({ length: burst }, (): ProduceTask => {
      return { ...place, atMs, recordCount: random.between(1, 3), sizeBytes };
    });
  });
}

function huntsOf(random: Random, safetyMs: number, among: readonly Prey[]): Fault[] {
  return Array.from({ length: random.pick([1, 1, 2]) }, (): Fault => {
    const atMs = random.between(1, safetyMs / 3);
    return {
      kind: "hunt",
      atMs,
      forMs: safetyMs - atMs,
      prey: random.pick(among),
      blows: random.pick(blowSets),
      delayMsMax: random.pick([2, 10, 100, 1_000]),
      // Mostly longer than an election: who was struck comes back when the next one is.
      restMs: random.pick([200, 1_500, 10_000, 10_000]),
    };
  });
}

/** Some of what happens to the wide plan as well, sooner. */
function strayFaultsOf(random: Random, wide: Plan, safetyMs: number): Fault[] {
  const share = safetyMs / wide.safetyMs;
  return wide.faults
    .filter(({ kind }) => kind !== "diskFull" && random.chance(0.5))
    .map((fault) => ({
      ...fault,
      atMs: Math.ceil(fault.atMs * share),
      forMs: Math.min(fault.forMs, safetyMs),
    }));
}
