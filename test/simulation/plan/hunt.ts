import { offsetsTopicName } from "#src/coordinators/offsets-topic.ts";
import { crashModes } from "#storage/io/faulty-file.ts";
import type { SimulatedNode } from "../cluster/node.ts";
import type { FaultTargets, Heal } from "./apply-fault.ts";
import type { Blow, Fault } from "./fault.ts";

type Hunt = Extract<Fault, { kind: "hunt" }>;

/** The soonest that a winner is struck, in ms. */
const delayMsMin = 0.05;
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
    const topic = prey === "coordinator" ? offsetsTopicName : "t0";
    const groupId = broker?.partitions.find(topic, 0)?.groupId;
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

function strikeWith(blow: Blow, node: SimulatedNode, targets: FaultTargets): Heal {
  const { network, random } = targets;
  const isNode = (host: string) => targets.nodes.has(host);
  switch (blow) {
    case "kill":
      node.crash(random.pick(crashModes), { isPowerLost: random.chance(0.3) });
      return () => node.start();
    case "pause":
      node.pause();
      return () => node.resume();
    case "resets":
      network.breakSome(1);
      return () => undefined;
    case "stall": {
      node.disk.stallUs = random.between(300_000, 5_000_000);
      network.hangUp(node.host, isNode);
      const heal = cutOff(node, "cut", targets);
      return () => {
        node.disk.stallUs = 0;
        heal();
      };
    }
    case "sever":
      network.hangUp(node.host, isNode);
      return cutOff(node, "cut", targets);
    case "hangUp": {
      const hangUp = () => network.hangUp(node.host, (host) => !isNode(host));
      const place = { afterUs: random.between(5_000, 300_000), process: undefined, label: "hang up" };
      targets.scheduler.schedule(place, hangUp);
      return cutOff(node, "cut", targets);
    }
    case "cut":
    case "cutIn":
    case "cutOut":
    case "cutHalf":
      return cutOff(node, blow, targets);
    default:
      return blow satisfies never;
  }
}

/** Cuts a node off from the others, but not from clients. */
function cutOff(
  { host }: SimulatedNode,
  blow: "cut" | "cutIn" | "cutOut" | "cutHalf",
  { network: { links }, nodes, marks, random }: FaultTargets,
): Heal {
  const others = random.shuffle([...nodes.keys()].filter((other) => other !== host));
  const far = blow === "cutHalf" ? others.slice(1) : others;
  const cuts = far.flatMap((other) => [
    ...(blow === "cutOut" ? [] : [{ from: other, to: host }]),
    ...(blow === "cutIn" ? [] : [{ from: host, to: other }]),
  ]);
  marks.reach("leader cut off");
  for (const { from, to } of cuts) links.cut(from, to);
  return () => {
    for (const { from, to } of cuts) links.heal(from, to);
  };
}
