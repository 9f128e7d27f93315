import { UnregisterBroker } from "#protocol/messages/unregister-broker.ts";
import type { Arguments } from "../arguments.ts";
import { expectAccepted } from "../client/client-errors.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { nodeOf } from "../node-argument.ts";
import type { World } from "../world.ts";

/** `millrace cluster unregister`. */
export async function unregisterNode(given: Arguments, world: World): Promise<ExitCode> {
  const nodeId = nodeOf(given);
  using cluster = await connectCluster(given, world);
  const { errorCode, errorMessage } = await cluster.request(UnregisterBroker, { brokerId: nodeId });
  expectAccepted(`unregister node ${nodeId}`, errorCode, errorMessage);
  if (given.has("json")) await writeJson(world.terminal, { node: nodeId, isRegistered: false });
  else await world.terminal.write(`Node ${nodeId} is forgotten\n`);
  return exitCodes.ok;
}
