import type { FileSystem } from "#storage/io/file.ts";
import { SimulatedClients } from "./clients/clients.ts";
import { SimulatedCluster } from "./cluster/cluster.ts";
import { CommittedEnds } from "./cluster/committed-ends.ts";
import { CommittedWrites } from "./cluster/committed-writes.ts";
import { Leaderships } from "./cluster/leaderships.ts";
import { Marks } from "./cluster/marks.ts";
import type { Violation } from "./cluster/violation.ts";
import type { Watched } from "./cluster/watched.ts";
import type { Plan } from "./plan/plan.ts";
import { World } from "./world/world.ts";

export interface RunOptions {
  /** Lines of the brokers' logs, with the virtual time. */
  readonly onLogLine?: (line: string) => void;
  /** Puts a bug between the brokers and their disks. */
  readonly wrapFiles?: (files: FileSystem) => FileSystem;
  /** Looks inside for rare states and for what must not be; calls come during the run. */
  readonly observe?: (watched: Watched) => Disposable;
}

/** Violations after which a run says no more: the first ones tell. */
const violationsMax = 20;

/** A run of a plan under way: who takes part, the passing of its time, and what went wrong. Its phases act on it. */
export class Run implements Disposable {
  readonly plan: Plan;
  readonly world: World;
  readonly cluster: SimulatedCluster;
  readonly clients: SimulatedClients;
  readonly leaderships = new Leaderships();
  readonly marks = new Marks();
  readonly #violations: Violation[] = [];
  readonly #observer: Disposable | undefined;
  readonly #onRejection = (error: unknown): void => this.#thrown(error, "promise");

  constructor(plan: Plan, { onLogLine, wrapFiles, observe }: RunOptions) {
    this.plan = plan;
    const world = new World({
      seed: plan.seed,
      links: plan.links,
      onTrip: (error) => this.violate({ kind: "tripwire", details: error.stack ?? "" }),
      onThrow: (error, label) => this.#thrown(error, label),
    });
    const watched: Watched = {
      marks: this.marks,
      committedEnds: new CommittedEnds(),
      committedWrites: new CommittedWrites(),
      onViolation: (violation) => this.violate(violation),
    };
    this.world = world;
    this.#observer = observe?.(watched);
    this.cluster = new SimulatedCluster({ plan, world, watched, onLogLine, wrapFiles });
    this.clients = new SimulatedClients({ plan, world, watched });
    process.on("unhandledRejection", this.#onRejection);
  }

  [Symbol.dispose](): void {
    process.off("unhandledRejection", this.#onRejection);
    this.#observer?.[Symbol.dispose]();
    this.leaderships[Symbol.dispose]();
    this.world[Symbol.dispose]();
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** A run that has shown this much goes no further. */
  get isHopeless(): boolean {
    return this.#violations.length >= violationsMax;
  }

  violate(violation: Violation): void {
    if (this.#violations.length < violationsMax) this.#violations.push(violation);
  }

  #thrown(error: unknown, label: string): void {
    const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.violate({ kind: "uncaught", details: `in "${label}": ${details}` });
  }

  /** Lets so much time pass. */
  async pass(durationUs: number): Promise<void> {
    const endUs = this.world.nowUs + durationUs;
    await this.world.scheduler.run(() => this.world.nowUs >= endUs || this.isHopeless);
  }

  /** Lets time pass until a condition holds; that it never does is a violation. */
  async until(what: string, isDone: () => boolean): Promise<boolean> {
    const endUs = this.world.nowUs + this.plan.livenessMs * 1_000;
    let isReached = false;
    await this.world.scheduler.run(() => {
      isReached = isDone();
      return isReached || this.isHopeless || this.world.nowUs > endUs;
    });
    if (!isReached && !this.isHopeless) {
      const states = this.cluster.all.map(({ host, state }) => `${host} is ${state}`);
      const standstill = [...states, ...this.clients.describeBusy()].join(", ");
      this.violate({ kind: "noProgress", details: `waited in vain until ${what}: ${standstill}` });
    }
    return isReached;
  }

  /** Runs a client's work to its end. */
  async within(boundUs: number, what: string, work: () => Promise<void>): Promise<boolean> {
    let isDone = false;
    this.world.scheduler.schedule({ afterUs: 0, process: undefined, label: what }, () => {
      work().then(
        () => {
          isDone = true;
        },
        (error: unknown) => this.#thrown(error, what),
      );
    });
    const endUs = this.world.nowUs + boundUs;
    await this.world.scheduler.run(() => isDone || this.isHopeless || this.world.nowUs > endUs);
    if (!isDone && !this.isHopeless) this.violate({ kind: "noProgress", details: `${what} does not end` });
    return isDone;
  }
}
