import { type LinkProfile, Links } from "./links.ts";
import { SimulatedNetwork } from "./network.ts";
import { RandomStreams } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";
import { Tripwires } from "./tripwires.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly links: LinkProfile;
  /** Something reached past the world, to the machine itself. */
  readonly onTrip: (error: Error) => void;
  /** A step threw, which in a real process would have ended it. */
  readonly onThrow: (error: unknown, label: string) => void;
}

/** All that a run has in place of the machine: one clock, one network, one source of chance. */
export class World implements Disposable {
  readonly streams: RandomStreams;
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly #trace = new Trace();
  readonly #tripwires: Tripwires;

  constructor({ seed, links, onTrip, onThrow }: WorldOptions) {
    const trace = this.#trace;
    this.streams = new RandomStreams(seed);
    this.#tripwires = new Tripwires(onTrip);
    this.scheduler = new Scheduler({ trace, tripwires: this.#tripwires, onThrow });
    this.network = new SimulatedNetwork({
      scheduler: this.scheduler,
      links: new Links(links, this.streams.stream("links")),
      trace,
      random: this.streams.stream("network"),
    });
  }

  [Symbol.dispose](): void {
    this.#tripwires[Symbol.dispose]();
  }

  /** Virtual µs since the start of the run. */
  get nowUs(): number {
    return this.scheduler.nowUs;
  }

  /** Equal for equal runs; asked for once, at the end. */
  endTrace(): string {
    this.#trace.number(this.streams.draws);
    this.#trace.number(this.scheduler.events);
    return this.#trace.hash;
  }
}
