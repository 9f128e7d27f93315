import type { ProcessEnd, StartChild } from "../runtime/child-process.ts";
import type { Clock } from "../runtime/clock.ts";
import type { NodePlan } from "./node-plan.ts";
import { SupervisedNode } from "./supervised-node.ts";

/** What an operator learns of the nodes. */
export interface SupervisorVoice {
  /** All nodes serve for the first time. */
  allServe(nodes: readonly ServingNode[]): void;
  /** A node serves again. */
  serves(node: NodePlan, pid: number): void;
  /** A node is gone and starts again after so long. */
  ended(node: NodePlan, end: ProcessEnd, restartMs: number): void;
  /** A node did not get as far as to serve. */
  refused(node: NodePlan, end: ProcessEnd): void;
  stopping(): void;
  line(node: NodePlan, text: string): void;
}

export interface ServingNode {
  readonly node: NodePlan;
  readonly pid: number;
}

export interface SupervisorOptions {
  readonly nodes: readonly NodePlan[];
  /** What all nodes are given, before what is each one's own. */
  readonly args: readonly string[];
  readonly startChild: StartChild;
  readonly clock: Clock;
  readonly voice: SupervisorVoice;
}

/** A node that was asked to stop and has not within this is ended. */
const stopMsMax = 30_000;
const failed = 1;

/**
 * Several brokers as one program: started together, started again one by one as they die, stopped together.
 *
 * A node that ends before it has served even once cannot start, and then none goes on.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #nodes: readonly SupervisedNode[];
  readonly #pids = new Map<NodePlan, number>();
  #haveAllServed = false;
  #isStopping = false;
  #exitCode = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { args, startChild, clock, voice } = options;
    this.#nodes = options.nodes.map(
      (node) =>
        new SupervisedNode({
          ...{ node, args, startChild, clock },
          watcher: {
            serves: (pid) => this.#serves(node, pid),
            ended: (end, restartMs) => this.#ended(node, end, restartMs),
            line: (text) => voice.line(node, text),
          },
        }),
    );
  }

  /** Runs all nodes until `stop`, or until one cannot start; answers the exit code. */
  async run(): Promise<number> {
    for (const node of this.#nodes) node.start();
    await Promise.all(this.#nodes.map(({ over }) => over));
    return this.#exitCode;
  }

  /** Asks all nodes to stop; asked again, they end at once. */
  stop(): void {
    if (!this.#isStopping) this.#options.voice.stopping();
    this.#stopAll();
  }

  #stopAll(): void {
    const { clock } = this.#options;
    const isFirst = !this.#isStopping;
    this.#isStopping = true;
    for (const node of this.#nodes) node.stop();
    if (!isFirst) return;
    const cancel = clock.schedule(stopMsMax, () => {
      for (const node of this.#nodes) node.stop("SIGKILL");
    });
    void Promise.all(this.#nodes.map(({ over }) => over)).then(cancel);
  }

  #serves(node: NodePlan, pid: number): void {
    const { voice, nodes } = this.#options;
    this.#pids.set(node, pid);
    if (this.#haveAllServed) {
      voice.serves(node, pid);
      return;
    }
    if (!this.#nodes.every(({ isServing }) => isServing)) return;
    this.#haveAllServed = true;
    voice.allServe(nodes.map((each) => ({ node: each, pid: this.#pids.get(each) ?? 0 })));
  }

  #ended(node: NodePlan, end: ProcessEnd, restartMs: number | undefined): void {
    const { voice } = this.#options;
    if (restartMs !== undefined) voice.ended(node, end, restartMs);
    else if (!this.#isStopping) {
      this.#exitCode = end.code || failed;
      voice.refused(node, end);
      this.#stopAll();
    } else if (end.code !== 0 && this.#exitCode === 0) this.#exitCode = end.code ?? failed;
  }
}
