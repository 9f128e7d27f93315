import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { brokerConfigs } from "#src/config/broker-configs.ts";
import type { ConfigDefinition } from "#src/config/definition.ts";
import { groupConfigs } from "#src/config/group-configs.ts";
import { topicConfigs } from "#src/config/topic-configs.ts";
import {
  anyItems,
  anyItemsOrNull,
  atLeast,
  between,
  betweenOr,
  itemsOf,
  nonEmpty,
  nonNull,
  oneOf,
  oneOfIgnoringCase,
  quorumServers,
  quorumVoters,
  shareOffsetReset,
  someItems,
  someItemsOrNull,
  someOf,
  throttledReplicas,
  type Validator,
} from "#src/config/validator.ts";

const path = join(import.meta.dirname, "../../../shared/kafka/configs.tsv");
const tables = { topic: topicConfigs, broker: brokerConfigs, group: groupConfigs };

/** Where Millrace's default is deliberately another one; see broker-configs.ts. */
const ownDefaults: Readonly<Record<string, string>> = {
  "node.id": "1",
  "process.roles": "broker,controller",
  "controller.listener.names": "CONTROLLER",
  listeners: "PLAINTEXT://127.0.0.1:9092",
  "log.dir": "data",
};

const namedValidators: Readonly<Record<string, Validator>> = {
  "ValidList.anyNonDuplicateValues(true, false)": anyItems,
  "ValidList.anyNonDuplicateValues(true, true)": anyItemsOrNull,
  "ValidList.anyNonDuplicateValues(false, false)": someItems,
  "ValidList.anyNonDuplicateValues(false, true)": someItemsOrNull,
  "new NonEmptyString()": nonEmpty,
  "new NonNullValidator()": nonNull,
  "ThrottledReplicaListValidator.INSTANCE": throttledReplicas,
  "new ControllerQuorumVotersValidator()": quorumVoters,
  "new ControllerQuorumBootstrapServersValidator()": quorumServers,
  "new ShareGroupAutoOffsetResetStrategy.Validator()": shareOffsetReset,
};

// Said aloud: without the definitions beside the repository nothing is compared.
describe.skipIf(!existsSync(path))(`configs equal Kafka's (${path})`, () => {
  const rows = existsSync(path) ? readRows() : [];

  test.each(["topic", "broker", "group"] as const)("every %s config is there, and no other", (scope) => {
    const names = [...tables[scope].keys()].filter((name) => !name.startsWith("millrace."));
    const expected = rows.filter((row) => row.scope === scope).map((row) => row.name);
    expect(names.sort()).toEqual(expected.sort());
  });

  test.each(rows)("$scope $name", (row) => {
    expect(tables[row.scope].get(row.name)).toMatchObject(expectedOf(row));
  });
});

interface Row {
  readonly name: string;
  readonly scope: "topic" | "broker" | "group";
  readonly type: string;
  readonly defaultValue: string;
  readonly validator: string;
  readonly importance: string;
  readonly updateMode: string;
  readonly synonyms: string;
  readonly internal: string;
}

function readRows(): Row[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(1);
  return lines.map((line) => {
    const [name = "", scope = "", type = "", defaultValue = "", ...rest] = line.split("\t");
    const [validator = "", importance = "", updateMode = "", synonyms = "", internal = ""] = rest;
    if (scope !== "topic" && scope !== "broker" && scope !== "group")
      throw new Error(`Unknown scope "${scope}"`);
    return { name, scope, type, defaultValue, validator, importance, updateMode, synonyms, internal };
  });
}

function expectedOf(row: Row): Partial<ConfigDefinition> {
  const own = row.scope === "broker" ? ownDefaults[row.name] : undefined;
  return {
    name: row.name,
    type: row.type as ConfigDefinition["type"],
    defaultValue: own ?? (row.defaultValue === "null" ? null : row.defaultValue),
    validator: validatorOf(row),
    importance: row.importance.toLowerCase() as ConfigDefinition["importance"],
    updateMode: row.updateMode as ConfigDefinition["updateMode"],
    brokerSynonyms: row.synonyms === "" ? [] : row.synonyms.split(","),
    isInternal: row.internal !== "",
  };
}

function validatorOf({ type, validator }: Row): Validator | undefined {
  if (validator === "") return undefined;
  const named = namedValidators[validator];
  if (named) return named;

  const choices = /^in\((false,)?(.*?)\)( case-insensitive)?$/.exec(validator);
  if (choices) {
    const values = choices[2]?.split(",") ?? [];
    if (choices[1]) return someOf(...values);
    if (choices[3]) return oneOfIgnoringCase(...values);
    return type === "LIST" ? itemsOf(...values) : oneOf(...values);
  }

  const [first = Number.NaN, second = Number.NaN, third] = (validator.match(/-?\d+(\.\d+)?/g) ?? []).map(
    Number,
  );
  if (validator.startsWith("atLeast")) return atLeast(first);
  if (validator.startsWith("between")) return between(first, second);
  if (third !== undefined) return betweenOr({ or: first, min: second, max: third });
  return between(first, Number(validator.split("..")[1]));
}
