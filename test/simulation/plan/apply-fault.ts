import type { Leaderships } from "../cluster/leaderships.ts";
import type { Marks } from "../cluster/marks.ts";
import type { SimulatedNode } from "../cluster/node.ts";
import type { SimulatedNetwork } from "../world/network.ts";
import type { Random } from "../world/random.ts";
import type { Scheduler } from "../world/scheduler.ts";
import type { Fault } from "./fault.ts";
import { hunt } from "./hunt.ts";

/** What faults act on. */
export interface FaultTargets {
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly marks: Marks;
  readonly leaderships: Leaderships;
  /** For faults that go on drawing while they last. */
  readonly random: Random;
}

/** Undoes a fault; a second call does nothing. */
export type Heal = () => void;

const longPauseMs = 6_000;
/** How long a node stays down after an ambush. */
const downUs = 300_000;

/** Makes a fault happen now; answers what undoes it. */
export function applyFault(fault: Fault, targets: FaultTargets): Heal {
  const { network, nodes } = targets;
  switch (fault.kind) {
    case "partition":
      for (const { from, to } of fault.cuts) network.links.cut(from, to);
      return () => {
        for (const { from, to } of fault.cuts) network.links.heal(from, to);
      };
    case "resets":
      network.breakSome(fault.probability);
      return () => undefined;
    case "slowNetwork":
      network.links.slowness = fault.factor;
      return () => {
        network.links.slowness = 1;
      };
    case "blackout":
      targets.marks.reach("power lost everywhere at once");
      for (const node of nodes.values()) node.crash(fault.mode, { isPowerLost: true });
      return () => {
        for (const node of nodes.values()) node.start();
      };
    case "hunt":
      return hunt(fault, targets);
    default:
      return applyToNode(fault, nodeOf(fault.host, nodes), targets);
  }
}

/** The node of a host or of a role. */
function nodeOf(host: string, nodes: FaultTargets["nodes"]): SimulatedNode {
  const all = [...nodes.values()];
  const [first] = all;
  const leads = (node: SimulatedNode) => (host === "@controller" ? Number(node.isController) : node.ledCount);
  const isRole = host.startsWith("@");
  const node = isRole
    ? all.reduce((best, other) => (leads(other) > leads(best) ? other : best))
    : nodes.get(host);
  if (!node || !first) throw new Error(`Cannot apply a fault: there is no host "${host}"`);
  return node;
}

function applyToNode(
  fault: Extract<Fault, { host: string }>,
  node: SimulatedNode,
  { marks, scheduler, network, nodes }: FaultTargets,
): Heal {
  const { disk } = node;
  switch (fault.kind) {
    case "kill":
      return applyKill(fault, node, scheduler);
    case "isolate": {
      const others = [...nodes.keys(), ...fault.clients].filter((other) => other !== node.host);
      const cuts = others.flatMap((other) => [
        ...(fault.direction === "out" ? [] : [{ from: other, to: node.host }]),
        ...(fault.direction === "in" ? [] : [{ from: node.host, to: other }]),
      ]);
      if (node.ledCount > 0) marks.reach("leader cut off");
      for (const { from, to } of cuts) network.links.cut(from, to);
      return () => {
        for (const { from, to } of cuts) network.links.heal(from, to);
      };
    }
    case "stop":
      node.stop();
      return () => startWhenDown(node, scheduler);
    case "pause":
      node.pause();
      if (fault.forMs >= longPauseMs) marks.reach("paused for longer than a session");
      return () => node.resume();
    case "clockJump":
      marks.reach(
        fault.skewMs < node.wallSkewMs ? "wall clock jumped back" : "wall clock jumped hours ahead",
      );
      node.wallSkewMs = fault.skewMs;
      return () => {
        node.wallSkewMs = 0;
      };
    case "slowDisk":
      disk.slowness = fault.factor;
      return () => {
        disk.slowness = 1;
      };
    case "writeError":
      disk.nextFailure = { code: "io", pathPart: fault.pathPart };
      return () => {
        disk.nextFailure = undefined;
      };
    case "diskFull": {
      const end = node.fillDisk();
      // Answered at once by a disk in memory; a failure would be a bug of the simulation.
      disk.limit(fault.freeBytes).catch(rethrow);
      return () => {
        end();
        disk.limit(undefined).catch(rethrow);
      };
    }
    case "readFlips":
      // After a restart the tail of a segment is read to be written again: what is read wrong then stays wrong.
      if (node.state === "serving" && node.life === 1) {
        disk.flipChance = fault.probability;
        marks.reach("read answered with a flipped bit");
      }
      return () => {
        disk.flipChance = 0;
      };
    default:
      return fault satisfies never;
  }
}

/** Kills now, or in the middle of a certain write; what stands still is killed like anything else. */
function applyKill(fault: Extract<Fault, { kind: "kill" }>, node: SimulatedNode, scheduler: Scheduler): Heal {
  const kill = () => node.crash(fault.mode, { isPowerLost: fault.isPowerLost });
  if (fault.during === undefined) {
    kill();
    return () => node.start();
  }
  const run = () => {
    kill();
    scheduler.schedule({ afterUs: downUs, process: undefined, label: "start" }, () => node.start());
  };
  node.disk.ambush = { pathPart: fault.during, run };
  return () => {
    node.disk.ambush = undefined;
    node.start();
  };
}

/** A broker that is asked to stop takes its time. */
function startWhenDown(node: SimulatedNode, scheduler: Scheduler): void {
  if (node.state === "down") node.start();
  else if (node.state === "stopping") {
    scheduler.schedule({ afterUs: 100_000, process: undefined, label: "start" }, () =>
      startWhenDown(node, scheduler),
    );
  }
}

function rethrow(error: unknown): never {
  throw error;
}
