/** A topic that is written all the time. */
export interface SoakTopic {
  readonly name: string;
  readonly partitions: number;
  readonly valueBytes: number;
  /** Keys of one partition, for topics that are compacted; 0 for records without a key. */
  readonly keys: number;
  readonly configs: Readonly<Record<string, string>>;
  /** Bytes that a partition may take on the disk once retention or compaction has had its turn. */
  readonly partitionBytesMax: number;
}

/** How one life of the broker ends. */
export type Ending = "stop" | "kill";

/** A restart, at a time in ms from the beginning of the load. */
export interface Restart {
  readonly atMs: number;
  readonly ending: Ending;
}

export interface SoakPlan {
  readonly minutes: number;
  readonly durationMs: number;
  /** Records a second over all topics. */
  readonly rate: number;
  readonly producers: number;
  readonly topics: readonly SoakTopic[];
  readonly restarts: readonly Restart[];
  readonly sampleEveryMs: number;
  /** Visits of clients that come and go. */
  readonly visitEveryMs: number;
  /** Creation of a topic that is deleted again. */
  readonly passingTopicEveryMs: number;
  readonly passingTopicStaysMs: number;
  /** A reader that begins at the start of a partition. */
  readonly catchUpEveryMs: number;
  /** One member of the group leaves and comes again. */
  readonly rebalanceEveryMs: number;
}

const mebibyte = 1 << 20;

/** Segments roll every few seconds, and live for about a minute: a day's housekeeping in an hour. */
export const soakTopics: readonly SoakTopic[] = [
  {
    name: "orders",
    partitions: 8,
    valueBytes: 1024,
    keys: 0,
    configs: { "segment.bytes": String(mebibyte), "retention.bytes": String(4 * mebibyte) },
    partitionBytesMax: 8 * mebibyte,
  },
  {
    name: "clicks",
    partitions: 8,
    valueBytes: 1024,
    keys: 0,
    configs: { "segment.ms": "10000", "retention.ms": "45000" },
    partitionBytesMax: 12 * mebibyte,
  },
  {
    name: "accounts",
    partitions: 4,
    valueBytes: 512,
    keys: 500,
    configs: {
      "cleanup.policy": "compact",
      "segment.bytes": String(mebibyte),
      "min.cleanable.dirty.ratio": "0.3",
      "delete.retention.ms": "30000",
    },
    partitionBytesMax: 8 * mebibyte,
  },
];

/** What a day does to a broker has to happen within minutes here; everything else is as it comes. */
export const brokerConfigs: Readonly<Record<string, string>> = {
  "log.retention.check.interval.ms": "3000",
  "log.cleaner.backoff.ms": "3000",
  "connections.max.idle.ms": "20000",
  "offsets.retention.minutes": "1",
  "offsets.retention.check.interval.ms": "10000",
  "offsets.topic.segment.bytes": String(mebibyte),
  "producer.id.expiration.ms": "60000",
  "producer.id.expiration.check.interval.ms": "10000",
  "millrace.journal.file.bytes": String(16 * mebibyte),
  "millrace.journal.files.max": "8",
};

/** The most that the journal takes on the disk, as configured above. */
export const journalBytesMax = 8 * 16 * mebibyte;

/** Room for the offsets of groups, for topics that come and go, and for indexes. */
const otherBytesMax = 32 * mebibyte;

/** The most that everything but the journal takes on the disk. */
export const dataBytesMax = soakTopics.reduce(
  (sum, { partitions, partitionBytesMax }) => sum + partitions * partitionBytesMax,
  otherBytesMax,
);

/** Parts of the run at which the broker ends; the long life between 0.28 and 0.88 is the one that is judged. */
const endings: readonly (readonly [share: number, ending: Ending])[] = [
  [0.04, "stop"],
  [0.08, "kill"],
  [0.12, "stop"],
  [0.16, "kill"],
  [0.2, "stop"],
  [0.24, "kill"],
  [0.28, "stop"],
  [0.88, "kill"],
  [0.92, "stop"],
  [0.95, "kill"],
];

const samplesWanted = 240;

/** The run of so many minutes. */
export function planSoak(minutes: number): SoakPlan {
  const durationMs = minutes * 60_000;
  const within = (min: number, value: number, max: number): number => Math.min(Math.max(min, value), max);
  return {
    minutes,
    durationMs,
    rate: 2_000,
    producers: 4,
    topics: soakTopics,
    restarts: endings.map(([share, ending]) => ({ atMs: share * durationMs, ending })),
    sampleEveryMs: within(1_000, durationMs / samplesWanted, 5_000),
    visitEveryMs: 100,
    passingTopicEveryMs: within(5_000, durationMs / 180, 20_000),
    passingTopicStaysMs: 10_000,
    catchUpEveryMs: 5_000,
    rebalanceEveryMs: within(15_000, durationMs / 20, 120_000),
  };
}
