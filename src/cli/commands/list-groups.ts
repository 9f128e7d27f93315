import { ListGroups } from "#protocol/messages/list-groups.ts";
import type { Arguments } from "../arguments.ts";
import { expectAccepted } from "../client/client-errors.ts";
import type { Cluster } from "../client/cluster.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { formatTable } from "../table.ts";
import type { World } from "../world.ts";

/** A group as its coordinator lists it. */
export interface ListedGroup {
  readonly name: string;
  readonly state: string;
  readonly type: string;
  readonly protocolType: string;
  readonly coordinator: number;
}

/** `millrace groups list`. */
export async function listGroups(given: Arguments, world: World): Promise<ExitCode> {
  using cluster = await connectCluster(given, world);
  const groups = await readGroups(cluster, given.texts("state"));
  const { terminal } = world;
  if (given.has("json")) {
    await writeJson(terminal, groups);
  } else if (groups.length === 0) {
    terminal.writeError("There are no groups\n");
  } else {
    const columns = [
      { title: "GROUP" },
      { title: "STATE" },
      { title: "TYPE" },
      { title: "COORDINATOR", isNumber: true },
    ];
    const rows = groups.map(({ name, state, type, coordinator }) => [
      name,
      state || "-",
      type || "-",
      coordinator,
    ]);
    await terminal.write(formatTable(columns, rows, terminal));
  }
  return exitCodes.ok;
}

/** The groups of all coordinators, by name; `states` empty is all states. */
export async function readGroups(
  cluster: Cluster,
  states: readonly string[] = [],
): Promise<readonly ListedGroup[]> {
  const groups: ListedGroup[] = [];
  for (const nodeId of cluster.nodeIds) {
    const answer = await cluster.retry(async () => {
      const connection = await cluster.connectionTo(nodeId);
      const listed = await connection.request(ListGroups, { statesFilter: [...states], typesFilter: [] });
      expectAccepted(`list the groups of broker ${nodeId}`, listed.errorCode);
      return listed;
    });
    for (const { groupId, groupState, groupType, protocolType } of answer.groups) {
      groups.push({ name: groupId, state: groupState, type: groupType, protocolType, coordinator: nodeId });
    }
  }
  return groups.sort((left, right) => (left.name < right.name ? -1 : 1));
}
