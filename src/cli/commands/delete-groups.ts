import { ErrorCode } from "#protocol/error-codes.ts";
import { DeleteGroups } from "#protocol/messages/delete-groups.ts";
import type { Arguments } from "../arguments.ts";
import { expectAccepted, RefusedError } from "../client/client-errors.ts";
import type { Cluster } from "../client/cluster.ts";
import { confirmLoss } from "../confirm.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { reportEach } from "../report-each.ts";
import type { World } from "../world.ts";

/** `millrace groups delete`. */
export async function deleteGroups(given: Arguments, world: World): Promise<ExitCode> {
  using cluster = await connectCluster(given, world);
  const names = [...new Set(given.words)];
  const subject = names.length === 1 ? `group "${names[0]}"` : `${names.length} groups`;
  if (!(await confirmLoss(given, world, `Delete ${subject} with all offsets?`))) return exitCodes.failed;

  const results: { name: string; error: Error | undefined }[] = [];
  for (const name of names) results.push({ name, error: await deleteGroup(cluster, name) });
  if (given.has("json")) {
    const shown = results.map(({ name, error }) => ({
      name,
      isDeleted: !error,
      error: error?.message ?? null,
    }));
    await writeJson(world.terminal, shown);
  }
  return await reportEach(world, results, ({ name }) =>
    given.has("json") ? undefined : `Deleted group "${name}"`,
  );
}

async function deleteGroup(cluster: Cluster, name: string): Promise<Error | undefined> {
  try {
    await cluster.retry(async () => {
      const connection = await cluster.connectionTo(await cluster.coordinatorOf(name));
      const { results } = await connection.request(DeleteGroups, { groupsNames: [name] });
      const errorCode = results[0]?.errorCode ?? ErrorCode.unknownServerError;
      expectAccepted(`delete group "${name}"`, errorCode);
    });
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}
