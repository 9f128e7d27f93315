import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ApiKey, apiName } from "#protocol/api-keys.ts";
import { ErrorCode, errorName, isRetriable } from "#protocol/error-codes.ts";
import { hasKafkaDefinitions, kafkaDefinitions } from "./kafka-definitions.ts";

const errorsFile = new URL("../../../../shared/kafka/errors.tsv", import.meta.url);

describe.skipIf(!existsSync(errorsFile))("error codes (skipped where ../shared is absent)", () => {
  const lines = existsSync(errorsFile) ? readFileSync(errorsFile, "utf8").trim().split("\n").slice(1) : [];
  const rows = lines.map((line) => line.split("\t"));

  test("are exactly Kafka's, by number and name", () => {
    const ours = Object.values(ErrorCode).map((code) => [String(code), errorName(code)]);
    const kafkas = rows.map(([code, name]) => [code, name]);
    expect(ours.sort()).toEqual(kafkas.sort());
  });

  test("are retriable when Kafka says so", () => {
    for (const [code, name, retriable] of rows) {
      expect([name, isRetriable(Number(code))]).toEqual([name, retriable === "true"]);
    }
  });
});

test.skipIf(!hasKafkaDefinitions)("API keys are exactly Kafka's, by number and name", () => {
  const requests = [...kafkaDefinitions().values()].filter(({ type }) => type === "request");
  const kafkas = requests.map(({ name, apiKey }) => `${apiKey} ${name.replace(/Request$/, "")}`);
  expect(
    Object.values(ApiKey)
      .map((key) => `${key} ${apiName(key)}`)
      .sort(),
  ).toEqual(kafkas.sort());
  expect(apiName(999)).toBe("Api999");
});
