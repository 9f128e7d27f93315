import { votersOnly } from "#raft/core/configuration.ts";
import type { MembershipChange, MembershipStep } from "#raft/core/membership.ts";
import type { Message } from "#raft/core/messages.ts";
import { describeMessage, describeProgress, describeState } from "./describe.ts";
import { ScenarioNode } from "./scenario-node.ts";
import { type Command, parseCommand, parseList } from "./transcript.ts";

/** Runs the commands of one scenario on a group of replicas and a network that stands still until told. */
export class ScenarioRunner {
  readonly #nodes = new Map<number, ScenarioNode>();
  readonly #network: Message[] = [];

  /** What the command prints. */
  run(line: string): string {
    const command = parseCommand(line);
    const output = this.#run(command);
    return command.options.get("output") === "none" ? "" : output.join("\n");
  }

  #run(command: Command): string[] {
    switch (command.name) {
      case "add-nodes":
        return this.#addNodes(command);
      case "ready":
        return this.#nodesOf(command).flatMap((node) => this.#handleReady(node));
      case "deliver":
        return this.#deliver(command);
      case "stabilize":
        return this.#stabilize(this.#nodesOf(command));
      case "persist":
        return this.#nodesOf(command).map((node) => `${node.id} ${node.completeWrite()}`);
      case "state":
        return [...this.#nodes.values()].map(({ raft }) => describeState(raft));
      default:
        return this.#runOn(this.#node(command.args[0]), command);
    }
  }

  #runOn(node: ScenarioNode, { name, args, options }: Command): string[] {
    const { raft } = node;
    switch (name) {
      case "campaign":
        raft.campaign();
        return [];
      case "timeout-now":
        // What a leader sends that hands over: an election without PreVote and without regard to a lease.
        raft.step({ kind: "timeoutNow", from: raft.leader, to: raft.id, term: raft.term });
        return [];
      case "tick":
        for (let left = Number(args[1] ?? 1); left > 0; left--) raft.tick();
        return [];
      case "propose": {
        const payload = Buffer.from(args[1] ?? "");
        const entry = raft.propose({
          kind: "data",
          baseOffset: raft.nextOffset,
          offsetCount: 1,
          payload,
        });
        return entry ? [] : ["not proposed"];
      }
      case "change": {
        const result = raft.changeMembership(parseChange(args.slice(1), options.get("kind") ?? "auto"));
        return typeof result === "string" ? [`refused: ${result}`] : [];
      }
      case "transfer": {
        const refusal = raft.transferTo(Number(args[1]));
        return refusal ? [`refused: ${refusal}`] : [];
      }
      case "read":
        return raft.read(Number(args[1])) ? [] : ["refused"];
      case "lost":
        raft.lost(Number(args[1]));
        return [];
      case "compact":
        return [`floor ${raft.releaseThroughIndex(Number(args[1]))?.index ?? "stays"}`];
      case "status":
        return [describeProgress(raft)];
      case "log":
        return [node.describeLog()];
      case "send-snapshots":
        return node.sendSnapshots();
      case "finish-install":
        return node.finishInstall();
      default:
        throw new Error(`Cannot run command "${name}": unknown`);
    }
  }

  #addNodes({ args, options }: Command): string[] {
    const configuration = {
      ...votersOnly(parseList(options.get("voters"))),
      learners: parseList(options.get("learners")),
    };
    for (let left = Number(args[0]); left > 0; left--) {
      const id = this.#nodes.size + 1;
      const node = new ScenarioNode({
        id,
        configuration,
        floorIndex: Number(options.get("index") ?? 0),
        inflightMax: Number(options.get("inflight") ?? 100),
        isDiskManual: options.get("disk") === "manual",
        isCatchUpManual: options.get("catch-up") === "manual",
      });
      this.#nodes.set(id, node);
    }
    return [];
  }

  #handleReady(node: ScenarioNode): string[] {
    const { lines, messages } = node.handleReady();
    this.#network.push(...messages);
    return [...lines, ...messages.map(describeMessage)].map((line) => `${node.id}| ${line}`);
  }

  /** Messages that wait for these nodes arrive, in order; those for `drop` are lost. */
  #deliver({ args, options }: Command): string[] {
    const to = new Set(args.map(Number));
    const dropped = new Set(parseList(options.get("drop")));
    const kind = options.get("kind");
    const lines: string[] = [];
    for (const message of this.#network.splice(0)) {
      if (dropped.has(message.to)) {
        lines.push(`lost: ${describeMessage(message)}`);
      } else if (to.has(message.to) && (!kind || kind === message.kind)) {
        lines.push(`arrived: ${describeMessage(message)}`);
        this.#nodes.get(message.to)?.raft.step(message);
      } else {
        this.#network.push(message);
      }
    }
    return lines;
  }

  /** Until these nodes have nothing to do any more. */
  #stabilize(nodes: readonly ScenarioNode[]): string[] {
    const lines: string[] = [];
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const node of nodes) {
        if (node.hasWork) {
          isBusy = true;
          lines.push(...this.#handleReady(node));
        }
        while (node.writes.length > 0) {
          isBusy = true;
          lines.push(`${node.id}| ${node.completeWrite()}`);
        }
      }
      for (const node of nodes) {
        const arrived = this.#deliver({ name: "deliver", args: [`${node.id}`], options: new Map() });
        if (arrived.length > 0) isBusy = true;
        lines.push(...arrived);
      }
    }
    return lines;
  }

  #nodesOf({ args }: Command): ScenarioNode[] {
    return args.length === 0 ? [...this.#nodes.values()] : args.map((id) => this.#node(id));
  }

  #node(id: string | undefined): ScenarioNode {
    const node = this.#nodes.get(Number(id));
    if (!node) throw new Error(`Cannot find node "${id}": not added`);
    return node;
  }
}

/** `v1 l2 r3` or `leave`, with how to go about it. */
export function parseChange(words: readonly string[], kind: string): MembershipChange {
  if (words[0] === "leave") return { kind: "leave" };
  if (kind !== "auto" && kind !== "joint" && kind !== "explicit") {
    throw new Error(`Cannot change "${kind}": unknown kind`);
  }
  return { kind, steps: parseSteps(words) };
}

const stepKinds: Readonly<Record<string, MembershipStep["kind"]>> = {
  v: "addVoter",
  l: "addLearner",
  r: "remove",
};

/** `v1 l2 r3`: add a voter, add a learner, remove. */
export function parseSteps(words: readonly string[]): MembershipStep[] {
  return words.map((word) => {
    const kind = stepKinds[word[0] ?? ""];
    if (!kind) throw new Error(`Cannot read step "${word}": unknown`);
    return { kind, replica: Number(word.slice(1)) };
  });
}
