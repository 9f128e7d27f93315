import { CreatePartitions } from "#protocol/messages/create-partitions.ts";
import { type Arguments, readInteger } from "../arguments.ts";
import { expectAccepted } from "../client/client-errors.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { countOf } from "../quantities.ts";
import type { World } from "../world.ts";

const partitionsMax = 100_000;

/** `millrace topics add-partitions`. */
export async function addPartitions(given: Arguments, world: World): Promise<ExitCode> {
  const [name = "", countText = ""] = given.words;
  const count = readInteger("COUNT", countText, { min: 1, max: partitionsMax });

  using cluster = await connectCluster(given, world);
  const answer = await cluster.requestController(CreatePartitions, {
    topics: [{ name, count, assignments: null }],
    timeoutMs: cluster.timeoutMs,
    validateOnly: false,
  });
  for (const { errorCode, errorMessage } of answer.results) {
    expectAccepted(`add partitions to topic "${name}"`, errorCode, errorMessage);
  }
  if (given.has("json")) await writeJson(world.terminal, { name, partitionCount: count });
  else await world.terminal.write(`Topic "${name}" has ${countOf(count, "partition")}\n`);
  return exitCodes.ok;
}
