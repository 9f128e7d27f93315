import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from "#protocol/messages/create-partitions.ts";
import { repeatedNames } from "./create-topics.ts";
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
  for (const { name, count, assignments } of request.topics) {
    if (repeated.has(name)) continue;
    const { validateOnly } = request;
    const { errorCode, message } = await broker.topics.addPartitions(name, count, assignments, {
      validateOnly,
    });
    results.push({ name, errorCode, errorMessage: message });
  }
  return { results };
}
