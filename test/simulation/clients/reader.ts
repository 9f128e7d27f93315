import type { ClusterClient, TopicPartition } from "./cluster-client.ts";
import { earliest, type FetchBounds, Fetcher, latest } from "./fetcher.ts";
import type { Trims } from "./trims.ts";

/** A jump of a reader at some time. */
export interface SeekTask {
  readonly atMs: number;
  readonly to: "start" | "end" | "back";
}

/** Keys that one reader, or the members of one group together, are to read to their end. */
export interface Reading {
  readonly of: string;
  readonly keys: readonly string[];
  readonly fetcher: Pick<Fetcher, "places" | "forgetEnds">;
}

export interface ReaderPlan {
  readonly kind: "reader";
  readonly name: string;
  readonly partitions: readonly TopicPartition[];
  readonly bounds: FetchBounds;
  readonly tasks: readonly SeekTask[];
}

/** Reads given partitions without a group until it is stopped. */
export class SimulatedReader {
  readonly #client: ClusterClient;
  readonly #plan: ReaderPlan;
  readonly #fetcher: Fetcher;
  #seekTo: SeekTask["to"] | undefined = "start";
  #isStopping = false;
  #isDone = false;

  constructor(client: ClusterClient, plan: ReaderPlan, trims: Trims) {
    this.#client = client;
    this.#plan = plan;
    this.#fetcher = new Fetcher(client, { process: plan.name, bounds: plan.bounds, trims });
  }

  get isIdle(): boolean {
    return this.#isDone;
  }

  /** What it reads, to be read to its end once nothing more is written. */
  get reading(): Reading {
    const keys = this.#plan.partitions.map(({ topic, partition }) => `${topic}-${partition}`);
    return { of: this.#plan.name, keys, fetcher: this.#fetcher };
  }

  start(): void {
    for (const { atMs, to } of this.#plan.tasks) {
      this.#client.options.clock.schedule(atMs, () => {
        this.#seekTo = to;
      });
    }
    this.#work().catch((error: unknown) => {
      this.#client.violate("clientFailed", error instanceof Error ? (error.stack ?? "") : String(error));
    });
  }

  stop(): void {
    this.#isStopping = true;
  }

  async #work(): Promise<void> {
    const isOver = () => this.#isStopping;
    while (!isOver()) {
      await this.#client.persist(async () => {
        await this.#seek();
        if ((await this.#fetcher.poll()) === 0) await this.#client.rest();
      }, isOver);
    }
    this.#isDone = true;
  }

  async #seek(): Promise<void> {
    const to = this.#seekTo;
    if (to === undefined) return;
    const { random } = this.#client.options;
    const places = [];
    for (const place of this.#plan.partitions) {
      const known = this.#fetcher.places.find(
        ({ topic, partition }) => topic === place.topic && partition === place.partition,
      );
      const back = Math.max(0, (known?.position ?? 0) - random.below(20));
      const position =
        to === "back" ? back : await this.#fetcher.offsetOf(place, to === "start" ? earliest : latest);
      places.push({ ...place, position });
    }
    this.#fetcher.assign(places, "seek");
    this.#seekTo = undefined;
  }
}
