import { offsetsTopicName } from "#src/coordinators/offsets-topic.ts";
import { crashModes } from "#storage/io/faulty-file.ts";
import type { AdminTask } from "../clients/admin.ts";
import type { TopicPartition } from "../clients/cluster-client.ts";
import type { FetchBounds } from "../clients/fetcher.ts";
import type { ProduceTask } from "../clients/producer.ts";
import { type Random, RandomStreams } from "../world/random.ts";
import { cutsOf, type Fault, partitionShapes, roles } from "./fault.ts";
import type { ClientPlan, MajorityPlan, Plan, TopicPlan } from "./plan.ts";

export interface PlanOptions {
  readonly seed: number;
  /** Drawn: three to five. */
  readonly nodeCount: number | "drawn";
}

/** A topic that comes and goes. */
const fleetingTopic = "fleeting";

/**
 * Draws a run. Every seed leaves some kinds of faults and clients out (swarm testing): what is always on hides
 * what is only reached without it.
 */
export function planOfSeed({ seed, nodeCount: wantedCount }: PlanOptions): Plan {
  const streams = new RandomStreams(seed);
  const nodeCount = wantedCount === "drawn" ? streams.stream("size").pick([3, 3, 4, 5]) : wantedCount;
  const hosts = Array.from({ length: nodeCount }, (_, at) => `node-${at + 1}`);
  const shape = streams.stream("shape");
  const safetyMs = shape.between(8_000, 30_000);
  const topics = topicsOf(shape, nodeCount);
  const clients = clientsOf(streams.stream("workload"), { topics, safetyMs, nodeCount });
  return {
    seed,
    hosts,
    safetyMs,
    livenessMs: 120_000,
    brokerConfigs: brokerConfigsOf(shape, nodeCount),
    links: {
      delayUs: shape.pick([50, 200, 1_000]),
      jitterUs: shape.pick([20, 300, 3_000]),
      slowChance: shape.pick([0, 0.002, 0.02]),
      slowUs: shape.pick([20_000, 500_000]),
      splitChance: shape.pick([0, 0.05, 0.5]),
    },
    disk: {
      writeUs: shape.pick([80, 400, 4_000]),
      readUs: shape.pick([50, 300]),
      slowChance: shape.pick([0, 0.01, 0.05]),
      slowUs: shape.pick([10_000, 200_000]),
    },
    topics,
    clients,
    faults: faultsOf(streams.stream("faults"), { hosts, clients: clients.map(({ name }) => name), safetyMs }),
    majority: nodeCount < 3 ? undefined : majorityOf(streams.stream("majority"), hosts),
  };
}

/** As many nodes are left out as partitions of three replicas can do without. */
function majorityOf(random: Random, hosts: readonly string[]): MajorityPlan {
  return {
    others: [random.pick(hosts)],
    state: random.pick(["down", "paused", "cut", "cutIn", "cutOut"]),
    withClients: random.chance(0.5),
  };
}

function topicsOf(random: Random, nodeCount: number): TopicPlan[] {
  return Array.from({ length: random.between(1, 3) }, (_, at) => ({
    name: `t${at}`,
    partitions: random.between(1, 3),
    configs: {
      ...(random.chance(0.3) && { "segment.ms": String(random.between(1_000, 5_000)) }),
      ...(random.chance(0.3) && { "segment.bytes": String(1 << 20) }),
      ...(random.chance(0.3) && {
        "retention.ms": String(random.between(1_000, 10_000)),
        "segment.ms": "500",
      }),
      ...(random.chance(0.2) && { "message.timestamp.type": "LogAppendTime" }),
      ...(nodeCount > 1 && { "min.insync.replicas": "2" }),
    },
  }));
}

function brokerConfigsOf(random: Random, nodeCount: number): Record<string, string> {
  return {
    "log.dirs": "/data",
    "auto.create.topics.enable": "false",
    "default.replication.factor": String(Math.min(3, nodeCount)),
    "offsets.topic.num.partitions": String(random.between(1, 3)),
    "offsets.topic.replication.factor": String(Math.min(3, nodeCount)),
    "group.initial.rebalance.delay.ms": String(random.pick([0, 500])),
    "group.min.session.timeout.ms": "2000",
    "log.retention.check.interval.ms": String(random.pick([1_000, 300_000])),
    "millrace.journal.file.bytes": String(1 << 20),
    "millrace.journal.files.max": String(random.pick([4, 8, 16])),
    "millrace.dirty.bytes.max": String(random.pick([1, 4, 64]) << 20),
    "millrace.cache.bytes": String(random.pick([0, 1 << 20, 64 << 20])),
    "millrace.http.listener": "off",
    ...(nodeCount > 1 && clusterConfigsOf(random)),
  };
}

function clusterConfigsOf(random: Random): Record<string, string> {
  return {
    "auto.leader.rebalance.enable": String(random.chance(0.5)),
    "leader.imbalance.check.interval.seconds": String(random.pick([1, 5])),
    "broker.session.timeout.ms": String(random.pick([1_500, 9_000])),
  };
}

interface WorkloadBounds {
  readonly topics: readonly TopicPlan[];
  readonly safetyMs: number;
  readonly nodeCount: number;
}

function clientsOf(random: Random, bounds: WorkloadBounds): ClientPlan[] {
  const sizes = { sizeBytesMax: random.pick([40, 400, 60_000]), largeShare: random.pick([0.1, 0.1, 1]) };
  const clients: ClientPlan[] = [];
  for (let at = 0; at < random.between(1, 3); at++) {
    clients.push(producerOf(random, { name: `producer-${at}`, ...sizes, isIdempotent: true, bounds }));
  }
  for (let at = 0; at < random.between(0, 2); at++) {
    clients.push(producerOf(random, { name: `plain-${at}`, ...sizes, isIdempotent: false, bounds }));
  }
  for (let at = 0; at < random.between(1, 2); at++) {
    clients.push({
      kind: "reader",
      name: `reader-${at}`,
      partitions: partitionsOf(bounds.topics).filter((_, index) => index === 0 || random.chance(0.7)),
      bounds: fetchBoundsOf(random),
      tasks: timesOf(random, random.below(5), bounds.safetyMs).map((atMs) => {
        return { atMs, to: random.pick(["start", "end", "back"] as const) };
      }),
    });
  }
  clients.push(...membersOf(random, bounds));
  if (random.chance(0.7)) {
    clients.push({ kind: "admin", name: "admin", tasks: adminTasksOf(random, bounds) });
  }
  return clients;
}

function producerOf(
  random: Random,
  options: {
    name: string;
    sizeBytesMax: number;
    /** How many of the batches have records of up to that size. */
    largeShare: number;
    isIdempotent: boolean;
    bounds: WorkloadBounds;
  },
): ClientPlan {
  const { name, isIdempotent, bounds } = options;
  const partitions = partitionsOf(bounds.topics);
  const taskCount = random.between(20, 150);
  // Some in bursts, so that batches of one partition queue up.
  const burst = random.pick([1, 1, 5, 20]);
  const tasks = timesOf(random, Math.ceil(taskCount / burst), bounds.safetyMs).flatMap((atMs) => {
    const place = random.pick(partitions);
    return Array.from({ length: burst }, (): ProduceTask => {
      const sizeBytes = random.chance(options.largeShare) ? random.between(8, options.sizeBytesMax) : 20;
      return { atMs, ...place, recordCount: random.between(1, 5), sizeBytes };
    });
  });
  return {
    kind: "producer",
    name,
    isIdempotent,
    acks: isIdempotent ? -1 : random.pick([-1, -1, 1, 0]),
    inFlightMax: random.pick([1, 2, 5]),
    retries: isIdempotent || random.chance(0.5),
    deliveryTimeoutMs: random.pick([3_000, 10_000, 120_000]),
    compression: random.pick(["none", "none", "none", "gzip", "snappy", "lz4", "zstd"]),
    tasks,
  };
}

function membersOf(random: Random, { topics, safetyMs }: WorkloadBounds): ClientPlan[] {
  const topicNames = topics.map(({ name }) => name);
  const sessionTimeoutMs = random.pick([2_000, 6_000]);
  return Array.from({ length: random.below(4) }, (_, at) => ({
    kind: "member",
    name: `member-${at}`,
    groupId: random.pick(["g0", "g1"]),
    topics: topicNames.filter((_, index) => index === 0 || random.chance(0.6)),
    sessionTimeoutMs,
    commitEveryMs: random.pick([100, 1_000]),
    // A member has one thread of control: who waits for records longer than its session lasts is out of the group.
    bounds: { ...fetchBoundsOf(random), maxWaitMs: random.pick([50, 500]) },
    joinsAtMs: random.between(1, safetyMs / 2),
    leavesAtMs: random.chance(0.4) ? random.between(safetyMs / 2, safetyMs) : safetyMs * 1_000,
  }));
}

function adminTasksOf(random: Random, { topics, safetyMs, nodeCount }: WorkloadBounds): AdminTask[] {
  const partitions = partitionsOf(topics);
  return timesOf(random, random.between(3, 15), safetyMs).map((atMs): AdminTask => {
    const { name: topic } = random.pick(topics);
    switch (random.below(nodeCount > 1 ? 5 : 4)) {
      case 0:
        return { kind: "remakeTopic", atMs, topic: fleetingTopic };
      case 1:
        return { kind: "alterConfig", atMs, topic, value: random.between(1, 1_000_000) };
      case 2:
        return { kind: "readConfig", atMs, topic };
      case 4:
        return reassignTaskOf(random, atMs, { places: partitions, nodeCount });
      default:
        return { kind: "deleteRecords", atMs, share: random.next() * 0.5, ...random.pick(partitions) };
    }
  });
}

/** Mostly to other nodes, as far as there are more than replicas; else to the same ones with another to be preferred. */
export function reassignTaskOf(
  random: Random,
  atMs: number,
  { places, nodeCount }: { readonly places: readonly TopicPartition[]; readonly nodeCount: number },
): AdminTask {
  const place = random.chance(0.2) ? { topic: offsetsTopicName, partition: 0 } : random.pick(places);
  const nodeIds = random.shuffle(Array.from({ length: nodeCount }, (_, at) => at + 1));
  const replicas = random.chance(0.15) ? [] : nodeIds.slice(0, 3);
  return { kind: "reassign", atMs, ...place, replicas };
}

function faultsOf(
  random: Random,
  bounds: { hosts: readonly string[]; clients: readonly string[]; safetyMs: number },
): Fault[] {
  const makers = bounds.hosts.length > 1 ? [...faultMakers, ...clusterFaultMakers] : faultMakers;
  const kinds = makers.filter(({ chance }) => random.chance(chance));
  if (kinds.length === 0) return [];
  const count = random.between(0, 10);
  return timesOf(random, count, bounds.safetyMs).map((atMs) => random.pick(kinds).make(random, atMs, bounds));
}

type FaultMaker = (
  random: Random,
  atMs: number,
  bounds: { readonly hosts: readonly string[]; readonly clients: readonly string[] },
) => Fault;

/** Kinds of faults, and how many of the seeds have them at all. */
const faultMakers: readonly { readonly chance: number; readonly make: FaultMaker }[] = [
  {
    chance: 0.7,
    make: (random, atMs, { hosts }) => ({
      kind: "kill",
      atMs,
      forMs: random.pick([1, 200, 3_000]),
      host: random.pick(hosts),
      mode: random.pick(crashModes),
      isPowerLost: random.chance(0.5),
      during: undefined,
    }),
  },
  {
    chance: 0.5,
    make: (random, atMs, { hosts }) => ({
      kind: "kill",
      atMs,
      forMs: 12_000,
      host: random.pick(hosts),
      mode: random.pick(crashModes),
      isPowerLost: random.chance(0.5),
      during: random.pick(["/journal/", ".log", ".log", "checkpoint", "recovery-points", "snapshot", ""]),
    }),
  },
  {
    chance: 0.4,
    make: (random, atMs, { hosts }) => ({
      kind: "stop",
      atMs,
      forMs: random.pick([1, 1_000]),
      host: random.pick(hosts),
    }),
  },
  {
    chance: 0.4,
    make: (random, atMs, { hosts }) => {
      return { kind: "pause", atMs, forMs: random.pick([50, 1_000, 8_000]), host: random.pick(hosts) };
    },
  },
  {
    chance: 0.3,
    make: (random, atMs, { hosts }) => ({
      kind: "clockJump",
      atMs,
      forMs: random.between(100, 10_000),
      host: random.pick(hosts),
      skewMs: random.pick([-1, 1]) * random.pick([500, 60_000, 30_000_000]),
    }),
  },
  {
    chance: 0.5,
    make: (random, atMs, { hosts, clients }) => {
      const shape = random.pick(partitionShapes);
      // Not all clients at once, as a rule.
      const cut = clients.filter(() => random.chance(0.7));
      const cuts = cutsOf(shape, { hosts: random.shuffle(hosts), clients: cut });
      return { kind: "partition", atMs, forMs: random.pick([200, 2_000, 9_000]), shape, cuts };
    },
  },
  {
    chance: 0.5,
    make: (random, atMs) => ({ kind: "resets", atMs, forMs: 1, probability: random.pick([0.3, 1]) }),
  },
  {
    chance: 0.3,
    make: (random, atMs) => {
      return { kind: "slowNetwork", atMs, forMs: random.between(500, 5_000), factor: random.pick([10, 100]) };
    },
  },
  {
    chance: 0.3,
    make: (random, atMs, { hosts }) => ({
      kind: "slowDisk",
      atMs,
      forMs: random.between(500, 5_000),
      host: random.pick(hosts),
      factor: random.pick([10, 100]),
    }),
  },
  {
    chance: 0.2,
    make: (random, atMs, { hosts }) => ({
      kind: "writeError",
      atMs,
      forMs: 3_000,
      host: random.pick(hosts),
      pathPart: random.pick(["journal", ".log", "checkpoint", "recovery-points", ""]),
    }),
  },
  {
    chance: 0.2,
    make: (random, atMs, { hosts }) => ({
      kind: "diskFull",
      atMs,
      forMs: random.between(1_000, 6_000),
      host: random.pick(hosts),
      freeBytes: random.pick([0, 100_000, 4_000_000]),
    }),
  },
  {
    chance: 0.15,
    make: (random, atMs, { hosts }) => ({
      kind: "readFlips",
      atMs,
      forMs: random.between(100, 2_000),
      // One node's at most: what too many replicas read wrong nobody can put right.
      host: hosts[0] ?? "",
      probability: random.pick([0.05, 0.5]),
    }),
  },
];

/** Kinds of faults that only several nodes have. */
const clusterFaultMakers: typeof faultMakers = [
  {
    chance: 0.5,
    make: (random, atMs) => ({
      kind: "kill",
      atMs,
      forMs: random.pick([1, 200, 3_000]),
      host: random.pick(roles),
      mode: random.pick(crashModes),
      isPowerLost: random.chance(0.5),
      during: undefined,
    }),
  },
  {
    chance: 0.3,
    make: (random, atMs) => {
      return { kind: "blackout", atMs, forMs: random.pick([1, 200]), mode: random.pick(crashModes) };
    },
  },
  {
    chance: 0.5,
    make: (random, atMs, { hosts, clients }) => ({
      kind: "isolate",
      atMs,
      forMs: random.pick([500, 2_500, 6_000]),
      host: random.pick([...roles, ...hosts]),
      direction: random.pick(["both", "both", "in", "out"]),
      clients: random.chance(0.5) ? [] : clients,
    }),
  },
  {
    chance: 0.3,
    make: (random, atMs) => {
      return { kind: "pause", atMs, forMs: random.pick([800, 2_500, 8_000]), host: random.pick(roles) };
    },
  },
];

function fetchBoundsOf(random: Random): FetchBounds {
  const maxBytes = random.pick([1, 10_000, 50 << 20]);
  const partitionMaxBytes = random.pick([1, 5_000, 1 << 20]);
  return {
    maxWaitMs: random.pick([50, 100, 500, 2_000]),
    // More than an answer may hold is never there: each would take its whole time.
    minBytes: Math.min(random.pick([0, 1, 1, 1_000]), maxBytes, partitionMaxBytes),
    maxBytes,
    partitionMaxBytes,
  };
}

function partitionsOf(topics: readonly TopicPlan[]): TopicPartition[] {
  return topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  );
}

function timesOf(random: Random, count: number, withinMs: number): number[] {
  return Array.from({ length: count }, () => random.between(1, withinMs)).sort((a, b) => a - b);
}
