import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from "#protocol/messages/create-partitions.ts";
import { repeatedNames } from "./repeated-names.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Grows topics, each on its own. */
export async function createPartitions(
  broker: ServedBroker,
  request: CreatePartitionsRequest,
): Promise<CreatePartitionsResponse> {
  const repeated = repeatedNames(request.topics.map(({ name }) => name));
  const results = [...repeated].map((name) => ({
    name,
    errorCode: ErrorCode.invalidRequest as ErrorCode,
    errorMessage: "Duplicate topic name." as string | null,
  }));
  const { validateOnly, timeoutMs } = request;
  const grown = request.topics
    .filter(({ name }) => !repeated.has(name))
    .map(async ({ name, count, assignments }) => {
      const options = { validateOnly, limitMs: timeoutMs };
      return { name, ...(await broker.topics.addPartitions(name, count, assignments, options)) };
    });
  results.push(...(await Promise.all(grown)));
  return { results };
}
