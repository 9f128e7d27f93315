import { crashModes } from "#storage/io/faulty-file.ts";
import type { SimulatedNode } from "../cluster/node.ts";
import type { FaultTargets, Heal } from "./apply-fault.ts";
import type { Blow, Fault } from "./fault.ts";

type Hunt = Extract<Fault, { kind: "hunt" }>;

/** The soonest that a winner is struck, in ms. */
const delayMsMin = 0.05;
const slowFactor = 100;
const metadataGroupId = 0;

/**
 * Strikes whoever wins an election of the prey's group, a moment after it has won. The one that was struck before comes
 * back then with whatever it had put into its log alone: so leaders with unlike tails follow each other, which a fault
 * at a drawn time hardly ever makes happen.
 */
export function hunt(fault: Hunt, targets: FaultTargets): Heal {
  const { scheduler, leaderships, nodes, random } = targets;
  let isOver = false;
  let heal: Heal = () => undefined;
  const later = (afterMs: number, label: string, run: () => void) =>
    scheduler.schedule({ afterUs: afterMs * 1_000, process: undefined, label }, () => {
      if (!isOver) run();
    });
  const strike = (node: SimulatedNode) => {
    heal();
    const undo = strikeWith(random.pick(fault.blows), node, targets);
    let isHealed = false;
    const once = () => {
      if (!isHealed) undo();
      isHealed = true;
    };
    heal = once;
    later(fault.restMs, "rest", once);
  };
  const deafen = leaderships.listen(({ groupId, nodeId }) => {
    const node = [...nodes.values()][nodeId - 1];
    if (!node || groupId !== preyOf(fault, nodes)) return;
    later(delayMsMin * (fault.delayMsMax / delayMsMin) ** random.next(), "strike", () => strike(node));
  });
  // Somebody leads already, and waits for no election.
  const leader = [...nodes.values()].find((node) => leads(node, preyOf(fault, nodes)));
  if (leader) strike(leader);
  return () => {
    isOver = true;
    deafen();
    heal();
  };
}

/** The group whose leaders are hunted; undefined while nobody knows of it. */
function preyOf({ prey }: Hunt, nodes: FaultTargets["nodes"]): number | undefined {
  if (prey === "metadata") return metadataGroupId;
  for (const { broker } of nodes.values()) {
    const groupId = broker?.partitions.find("t0", 0)?.groupId;
    if (groupId !== undefined) return groupId;
  }
  return undefined;
}

function leads(node: SimulatedNode, groupId: number | undefined): boolean {
  if (groupId === metadataGroupId) return node.isController;
  return [...(node.broker?.partitions.all() ?? [])].some(
    (partition) => partition.groupId === groupId && partition.isLeader,
  );
}

function strikeWith(blow: Blow, node: SimulatedNode, { network, nodes, marks, random }: FaultTargets): Heal {
  switch (blow) {
    case "kill":
      node.crash(random.pick(crashModes), { isPowerLost: random.chance(0.3) });
      return () => node.start();
    case "pause":
      node.pause();
      return () => node.resume();
    case "slowDisk":
      node.disk.slowness = slowFactor;
      return () => {
        node.disk.slowness = 1;
      };
    case "resets":
      network.breakSome(1);
      return () => undefined;
    case "cut":
    case "cutIn":
    case "cutOut":
    case "cutHalf": {
      const { host } = node;
      const others = random.shuffle([...nodes.keys()].filter((other) => other !== host));
      const far = blow === "cutHalf" ? others.slice(1) : others;
      const cuts = far.flatMap((other) => [
        ...(blow === "cutOut" ? [] : [{ from: other, to: host }]),
        ...(blow === "cutIn" ? [] : [{ from: host, to: other }]),
      ]);
      marks.reach("leader cut off");
      for (const { from, to } of cuts) network.links.cut(from, to);
      return () => {
        for (const { from, to } of cuts) network.links.heal(from, to);
      };
    }
    default:
      return blow satisfies never;
  }
}
