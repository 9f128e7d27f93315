import { wallStartMs } from "../cluster/node.ts";
import { brokerPort } from "../cluster/node-config.ts";
import type { Watched } from "../cluster/watched.ts";
import type { Operation } from "../history/operation.ts";
import { Recorder } from "../history/recorder.ts";
import type { ClientPlan, Plan } from "../plan/plan.ts";
import { SimulatedClock } from "../world/clock.ts";
import { SimulatedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import { AcknowledgedEnds } from "./acknowledged-ends.ts";
import { SimulatedAdmin } from "./admin.ts";
import { ClusterClient } from "./cluster-client.ts";
import { SimulatedGroupMember } from "./group-member.ts";
import { SimulatedProducer } from "./producer.ts";
import { type Reading, SimulatedReader } from "./reader.ts";
import { Trims } from "./trims.ts";

/** A client of any kind, as the phases of a run see it. */
export interface Client {
  readonly plan: ClientPlan;
  readonly isIdle: boolean;
  /** Whether a producer has sent all that it is to send. */
  readonly hasDoneAll: boolean;
  /** What it is to have read in the end, if anything. */
  readonly reading: Reading | undefined;
  start(): void;
  /** Begins nothing new. */
  stop(): void;
}

export interface ClientsOptions {
  readonly plan: Plan;
  readonly world: World;
  readonly watched: Watched;
}

/** The clients of a run, and what they know together: what was sent, acknowledged and removed. */
export class SimulatedClients {
  readonly trims = new Trims();
  readonly #options: ClientsOptions;
  readonly #ends: AcknowledgedEnds;
  readonly #recorder: Recorder;
  #engaged: readonly Client[] = [];
  #lastValue = 0;

  constructor(options: ClientsOptions) {
    const { world, watched } = options;
    this.#options = options;
    this.#ends = new AcknowledgedEnds(watched.committedEnds, watched.onViolation);
    this.#recorder = new Recorder(() => world.nowUs);
  }

  /** Makes those that the plan has; each begins once it is started. */
  engage(): void {
    this.#engaged = this.#options.plan.clients.map((plan) => this.make(plan));
  }

  /** Those of the plan; none before they are engaged. */
  get engaged(): readonly Client[] {
    return this.#engaged;
  }

  /** Those of the plan by kind, one kind after the other. */
  ofKinds(...kinds: ClientPlan["kind"][]): Client[] {
    return kinds.flatMap((kind) => this.#engaged.filter(({ plan }) => plan.kind === kind));
  }

  /** One more client. */
  make(plan: ClientPlan): Client {
    const running = this.#newRunning(plan);
    return {
      plan,
      get isIdle() {
        return running.isIdle;
      },
      get hasDoneAll() {
        return !("hasDoneAll" in running) || running.hasDoneAll;
      },
      get reading() {
        return "reading" in running ? running.reading : undefined;
      },
      start: () => running.start(),
      stop: () => running.stop(),
    };
  }

  #newRunning(plan: ClientPlan) {
    const client = this.connect(plan.name);
    const nextValue = () => ++this.#lastValue;
    const isAlone = this.#options.plan.hosts.length === 1;
    switch (plan.kind) {
      case "producer":
        return new SimulatedProducer(client, plan, { nextValue, isLeaderEnough: isAlone, ends: this.#ends });
      case "reader":
        return new SimulatedReader(client, plan, this.trims);
      case "member":
        return new SimulatedGroupMember(client, plan, this.trims);
      case "admin":
        return new SimulatedAdmin(client, plan, { trims: this.trims, nextValue, areReadsFresh: isAlone });
      default:
        return plan satisfies never;
    }
  }

  /** The cluster as a client of this name sees it; the client is a process on a host of its own. */
  connect(name: string): ClusterClient {
    const { plan, world, watched } = this.#options;
    const { scheduler, network, streams } = world;
    const simulated = new SimulatedProcess(name);
    return new ClusterClient({
      name,
      endpoint: { host: name, process: simulated },
      network,
      clock: new SimulatedClock({
        scheduler,
        process: simulated,
        random: streams.stream(`timing/${name}`),
        wallStartMs: () => wallStartMs,
      }),
      random: streams.stream(`client/${name}`),
      bootstrap: plan.hosts.map((host) => ({ host, port: brokerPort })),
      recorder: this.#recorder,
      marks: watched.marks,
      committedWrites: watched.committedWrites,
      onViolation: watched.onViolation,
    });
  }

  /** Each reader has come to the end of all that it reads, and each group's members together. */
  haveReadAll(readers: readonly Client[]): boolean {
    const readings = readers.flatMap(({ reading }) => reading ?? []);
    return [...Map.groupBy(readings, (reading) => reading.of).values()].every((together) => {
      const atEnd = new Set(
        together.flatMap(({ fetcher }) =>
          fetcher.places
            .filter(({ key, position, end = Infinity }) => position >= Math.max(end, this.#ends.of(key)))
            .map(({ key }) => key),
        ),
      );
      return together.every(({ keys }) => keys.every((key) => atEnd.has(key)));
    });
  }

  /** Who of the plan's clients is at something, in words. */
  describeBusy(): string[] {
    const busy = this.#engaged.filter(({ isIdle }) => !isIdle);
    return busy.map(({ plan, reading }) => {
      const places = reading?.fetcher.places.map(
        ({ key, position, end }) => `${key} ${position}/${end ?? "?"}`,
      );
      return `${plan.name} is busy${places ? ` (${places.join(", ")})` : ""}`;
    });
  }

  /** What all of them have asked and heard. */
  history(): readonly Operation[] {
    return this.#recorder.history();
  }
}
