import type { Arguments } from "../arguments.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { formatTable } from "../table.ts";
import type { World } from "../world.ts";

/** `millrace topics list`. */
export async function listTopics(given: Arguments, world: World): Promise<ExitCode> {
  using cluster = await connectCluster(given, world);
  const { topics } = await cluster.metadata("all");
  const shown = topics
    .filter(({ isInternal }) => given.has("internal") || !isInternal)
    .map(({ name, topicId, isInternal, partitions }) => ({
      name: name ?? "",
      id: topicId,
      isInternal,
      partitionCount: partitions.length,
      replicationFactor: partitions[0]?.replicaNodes.length ?? 0,
    }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));

  const { terminal } = world;
  if (given.has("json")) {
    await writeJson(terminal, shown);
  } else if (shown.length === 0) {
    terminal.writeError('There are no topics: "millrace topics create NAME" makes one\n');
  } else {
    const columns = [
      { title: "TOPIC" },
      { title: "PARTITIONS", isNumber: true },
      { title: "REPLICAS", isNumber: true },
    ];
    const rows = shown.map(({ name, partitionCount, replicationFactor }) => [
      name,
      partitionCount,
      replicationFactor,
    ]);
    await terminal.write(formatTable(columns, rows, terminal));
  }
  return exitCodes.ok;
}
