import { ErrorCode } from "#protocol/error-codes.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import type { ResponseOutput } from "#protocol/schema/api.ts";
import type { PollStep } from "../history/operation.ts";
import { type ClientConnection, expectNone, Refused } from "./client-connection.ts";
import type { ClusterClient, TopicPartition } from "./cluster-client.ts";
import type { Trims } from "./trims.ts";
import { valuesIn } from "./values.ts";

/** How much a fetch asks for. */
export interface FetchBounds {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
}

/** Offsets that ListOffsets finds by name. */
export const earliest = -2;
export const latest = -1;

interface Place extends TopicPartition {
  readonly key: string;
  position: number;
  /** The end of the log, as the last answer told it. */
  end: number | undefined;
}

type PartitionAnswer = ResponseOutput<typeof Fetch>["responses"][number]["partitions"][number];

const firstVersionWithTopicIds = 13;

/** Reads partitions from positions of its own, and records what it finds as one process of the history. */
export class Fetcher {
  readonly #client: ClusterClient;
  readonly #process: string;
  readonly #bounds: FetchBounds;
  /** Offset below which records of a key may be gone, as far as anybody asked for that. */
  readonly #trims: Trims;
  #places: Place[] = [];

  constructor(
    client: ClusterClient,
    options: {
      readonly process: string;
      readonly bounds: FetchBounds;
      readonly trims: Trims;
    },
  ) {
    this.#client = client;
    this.#process = options.process;
    this.#bounds = options.bounds;
    this.#trims = options.trims;
  }

  get places(): readonly Readonly<Place>[] {
    return this.#places;
  }

  forgetEnds(): void {
    for (const place of this.#places) place.end = undefined;
  }

  /** Reads these from here on. */
  assign(
    places: readonly (TopicPartition & { readonly position: number })[],
    how: "assign" | "subscribe" | "seek",
  ): void {
    this.#places = places.map((place) => {
      return { ...place, key: `${place.topic}-${place.partition}`, end: undefined };
    });
    const keys = this.#places.map(({ key }) => key);
    this.#client.options.recorder.invoke(this.#process, []).complete("ok", [{ kind: "assign", how, keys }]);
  }

  /** One offset of one partition; `timestamp` may be `earliest` or `latest`. @throws Unanswered, Refused */
  async offsetOf(place: TopicPartition, timestamp: number): Promise<number> {
    const key = `${place.topic}-${place.partition}`;
    const trimmedBelow = this.#trims.answeredBelow(key);
    const connection = await this.#client.leaderOf(place);
    const { offset, errorCode } = await this.#listOffset(connection, place, timestamp);
    expectNone(errorCode);
    if (offset < trimmedBelow) {
      // Where nobody leads, a replica tells what it knows: its beginning, but no end (decision 0019).
      const end = await this.#listOffset(connection, place, latest);
      if (end.errorCode !== ErrorCode.offsetNotAvailable) {
        this.#client.violate(
          "startBack",
          `${key}: offset ${offset} lies before ${trimmedBelow}, which was trimmed`,
        );
      }
    }
    return offset;
  }

  async #listOffset(
    connection: ClientConnection,
    { topic, partition }: TopicPartition,
    timestamp: number,
  ): Promise<{ readonly offset: number; readonly errorCode: number }> {
    const answer = await connection.request(
      ListOffsets,
      { version: this.#client.versionOf(ListOffsets), timeoutMs: 4_000 },
      {
        replicaId: -1,
        topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }],
      },
    );
    const found = answer.topics[0]?.partitions[0];
    if (!found) throw new Error("ListOffsets was answered without its partition");
    return found;
  }

  /** Fetches once from the leader of a random partition all that it leads; answers the records found. @throws Unanswered, Refused */
  async poll(): Promise<number> {
    const { recorder, random, marks, clock } = this.#client.options;
    if (this.#places.length === 0) return 0;
    // Who waits where nothing is to come keeps itself from what is there with another leader.
    const behind = this.#places.filter(({ position, end }) => end === undefined || position < end);
    const connection = await this.#client.leaderOf(random.pick(behind.length > 0 ? behind : this.#places));
    const led: Place[] = [];
    for (const place of this.#places) {
      if ((await this.#client.leaderOf(place)) === connection) led.push(place);
    }
    const version = this.#client.versionOf(Fetch);
    const byId = version >= firstVersionWithTopicIds;
    const topics = [...Map.groupBy(led, ({ topic }) => topic)].map(([topic, places]) => ({
      ...(byId ? { topicId: this.#client.topicId(topic) } : { topic }),
      partitions: places.map(({ partition, position }) => ({
        partition,
        fetchOffset: position,
        partitionMaxBytes: this.#bounds.partitionMaxBytes,
      })),
    }));
    const { maxWaitMs, minBytes, maxBytes } = this.#bounds;
    const invocation = recorder.invoke(this.#process, []);
    const startedMs = clock.monotonicMs();
    const answer = await connection.request(
      Fetch,
      { version, timeoutMs: maxWaitMs + 4_000 },
      { maxWaitMs, minBytes, maxBytes, topics },
    );
    expectNone(answer.errorCode);
    const steps: PollStep[] = [];
    let failure: unknown;
    for (const { topic, topicId, partitions } of answer.responses) {
      for (const found of partitions) {
        const place = led.find(
          (other) =>
            other.partition === found.partitionIndex &&
            (byId ? this.#client.topicId(other.topic) === topicId : other.topic === topic),
        );
        if (!place) throw new Error("Fetch was answered with a partition that nobody asked for");
        try {
          const step = await this.#take(place, found);
          if (step) steps.push(step);
        } catch (error) {
          // What came of other partitions has been read all the same.
          failure ??= error;
        }
      }
    }
    invocation.complete("ok", steps);
    if (failure) throw failure;
    const count = steps.reduce((sum, { records }) => sum + records.length, 0);
    const waitedMs = clock.monotonicMs() - startedMs;
    if (count > 0 && waitedMs > 20 && waitedMs < maxWaitMs) marks.reach("fetch woken by a produce");
    return count;
  }

  async #take(place: Place, found: PartitionAnswer): Promise<PollStep | undefined> {
    const { key, position } = place;
    if (found.errorCode === ErrorCode.offsetOutOfRange) {
      await this.#startAnew(place);
      return undefined;
    }
    if (found.errorCode !== ErrorCode.none) throw new Refused(found.errorCode);
    const records: { offset: number; value: number }[] = [];
    for (const { offset, value, damage } of valuesIn(found.records)) {
      if (damage) this.#client.violate("damagedRecord", `${key} at offset ${offset}: ${damage}`);
      // The first batch may begin before what was asked for.
      else if (offset >= position) records.push({ offset, value });
    }
    place.position = (records.at(-1)?.offset ?? position - 1) + 1;
    place.end = found.highWatermark;
    return { kind: "poll", key, position, records, highWatermark: found.highWatermark };
  }

  /** Where nothing is at the reader's place it begins at the start; right only if that is what moved. */
  async #startAnew(place: Place): Promise<void> {
    const { key, position } = place;
    const start = await this.offsetOf(place, earliest);
    if (position >= start && position > this.#trims.askedBelow(key)) {
      this.#client.violate(
        "logEndBack",
        `${key}: offset ${position} is out of range, the log starts at ${start}`,
      );
    }
    this.#client.options.marks.reach("start of a log passed by a reader");
    place.position = start;
    this.#client.options.recorder
      .invoke(this.#process, [])
      .complete("ok", [{ kind: "assign", how: "seek", keys: [key] }]);
  }
}
