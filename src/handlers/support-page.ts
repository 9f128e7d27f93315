import { apiName } from "#protocol/api-keys.ts";
import { routes } from "./routes.ts";

/** `docs/kafka-support.md`: every API with its versions, from the route table itself. */
export function supportPage(): string {
  const rows = [...routes.values()]
    .sort((a, b) => a.api.key - b.api.key)
    .map(({ api, advertised }) => {
      const served = [api.versions[0], Math.min(api.versions[1], advertised[1])] as const;
      return `| ${api.key} | ${apiName(api.key)} | ${range(advertised)} | ${range(served)} |`;
    });
  return [
    "# Kafka APIs that Millrace serves",
    "",
    "Generated from the route table (`node src/handlers/write-docs.ts`). What is not listed is not advertised in",
    "ApiVersions, and clients fall back or say so: transactions, security and the groups of KIP-848 come later.",
    "",
    "| key | API | advertised | served |",
    "|---:|---|---|---|",
    ...rows,
    "",
    "Produce 0 to 2 are advertised only because librdkafka up to 2.11.0 otherwise turns compression off",
    "(KAFKA-18659); as in Kafka 4, a request of such a version closes the connection.",
    "",
  ].join("\n");
}

function range([min, max]: readonly [number, number]): string {
  return min === max ? String(min) : `${min} to ${max}`;
}
