import type { Arguments } from "../arguments.ts";
import type { Cluster } from "../client/cluster.ts";
import { loadOf, setNodeState } from "../client/node-states.ts";
import { connectCluster } from "../connect.ts";
import { CommandError, type ExitCode, exitCodes, UsageError } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { nodeOf } from "../node-argument.ts";
import { countOf } from "../quantities.ts";
import type { World } from "../world.ts";

const lookAgainMs = 200;

/** `millrace cluster maintenance`. */
export async function maintainNode(given: Arguments, world: World): Promise<ExitCode> {
  const nodeId = nodeOf(given);
  const isOn = given.has("on");
  if (isOn === given.has("off")) throw new UsageError("Cannot tell what is meant: use either --on or --off");
  using cluster = await connectCluster(given, world);
  await setNodeState(cluster, nodeId, isOn ? "maintenance" : null);
  if (isOn) await untilNothingIsLed(cluster, nodeId);
  const state = isOn ? "maintenance" : "active";
  if (given.has("json")) await writeJson(world.terminal, { node: nodeId, state });
  else {
    const text = isOn
      ? `Node ${nodeId} is in maintenance and leads nothing`
      : `Node ${nodeId} is active again`;
    await world.terminal.write(`${text}\n`);
  }
  return exitCodes.ok;
}

async function untilNothingIsLed(cluster: Cluster, nodeId: number): Promise<void> {
  const endMs = cluster.clock.monotonicMs() + cluster.timeoutMs;
  for (;;) {
    const { leaderCount } = loadOf(await cluster.metadata("all"), nodeId);
    if (leaderCount === 0) return;
    if (cluster.clock.monotonicMs() + lookAgainMs > endMs) {
      throw new CommandError(
        `Node ${nodeId} is in maintenance and leads ${countOf(leaderCount, "partition")} yet`,
        {
          hint: "No other replica of them follows closely: partitions with one replica have none",
        },
      );
    }
    await cluster.sleep(lookAgainMs);
  }
}
