import { ErrorCode } from "#protocol/error-codes.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { nearestName } from "../../config/nearest-name.ts";
import { topicConfigs } from "../../config/topic-configs.ts";
import { type Arguments, readPair } from "../arguments.ts";
import { expectAccepted, RefusedError } from "../client/client-errors.ts";
import type { Cluster } from "../client/cluster.ts";
import { connectCluster } from "../connect.ts";
import { CommandError, type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { type Cell, formatTable } from "../table.ts";
import type { World } from "../world.ts";

const topicResource = 2;
const operations = { set: 0, unset: 1 } as const;

/** Where a value comes from, by Kafka's number. */
const sources: ReadonlyMap<number, string> = new Map([
  [1, "topic"],
  [2, "broker, dynamic"],
  [3, "all brokers, dynamic"],
  [4, "broker"],
  [5, "default"],
]);

/** A config of a topic; a null value is one that the broker does not tell. */
export interface TopicConfig {
  readonly name: string;
  readonly value: string | null;
  readonly source: string;
  readonly isDefault: boolean;
}

/** `millrace topics configs get`. */
export async function getTopicConfigs(given: Arguments, world: World): Promise<ExitCode> {
  const [topic = "", ...names] = given.words;
  using cluster = await connectCluster(given, world);
  const all = await readTopicConfigs(cluster, topic);
  for (const name of names) {
    if (!all.some((config) => config.name === name)) throw unknownConfig(topic, name);
  }
  const isShown = ({ name, source }: TopicConfig): boolean =>
    names.length > 0 ? names.includes(name) : given.has("all") || source === "topic";
  const shown = all.filter(isShown);

  const { terminal } = world;
  if (given.has("json")) {
    await writeJson(terminal, shown);
  } else if (shown.length === 0) {
    terminal.writeError(`No config of topic "${topic}" is set: --all shows what holds for it\n`);
  } else {
    const rows = shown.map(({ name, value, source, isDefault }): readonly Cell[] => [
      isDefault ? { text: name, style: "dim" } : name,
      value ?? "(hidden)",
      { text: source, style: "dim" },
    ]);
    await terminal.write(
      formatTable([{ title: "CONFIG" }, { title: "VALUE" }, { title: "FROM" }], rows, terminal),
    );
  }
  return exitCodes.ok;
}

/** `millrace topics configs set`. */
export async function setTopicConfigs(given: Arguments, world: World): Promise<ExitCode> {
  const [, ...texts] = given.words;
  const changes = texts.map((text) => readPair("KEY=VALUE", text)).map(([name, value]) => ({ name, value }));
  return await alter(given, world, changes);
}

/** `millrace topics configs unset`. */
export async function unsetTopicConfigs(given: Arguments, world: World): Promise<ExitCode> {
  const [, ...names] = given.words;
  return await alter(
    given,
    world,
    names.map((name) => ({ name, value: null })),
  );
}

/** All configs that hold for a topic, by name. @throws RefusedError */
export async function readTopicConfigs(cluster: Cluster, topic: string): Promise<readonly TopicConfig[]> {
  const answer = await cluster.request(DescribeConfigs, {
    resources: [{ resourceType: topicResource, resourceName: topic, configurationKeys: null }],
    includeSynonyms: false,
    includeDocumentation: false,
  });
  return answer.results.flatMap(({ errorCode, errorMessage, configs }) => {
    expectAccepted(`read the configs of topic "${topic}"`, errorCode, errorMessage);
    return configs
      .map(({ name, value, configSource, isSensitive }) => ({
        name,
        value: isSensitive ? null : value,
        source: sources.get(configSource) ?? "unknown",
        isDefault: configSource === 5,
      }))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  });
}

async function alter(
  given: Arguments,
  world: World,
  changes: readonly { readonly name: string; readonly value: string | null }[],
): Promise<ExitCode> {
  const [topic = ""] = given.words;
  using cluster = await connectCluster(given, world);
  const configs = changes.map(({ name, value }) => ({
    name,
    configOperation: value === null ? operations.unset : operations.set,
    value,
  }));
  const answer = await cluster.requestController(IncrementalAlterConfigs, {
    resources: [{ resourceType: topicResource, resourceName: topic, configs }],
    validateOnly: false,
  });
  for (const { errorCode, errorMessage } of answer.responses) {
    const action = `change the configs of topic "${topic}"`;
    const unknown = changes.find(({ name }) => !topicConfigs.has(name));
    if (errorCode === ErrorCode.invalidConfig && unknown) throw unknownConfig(topic, unknown.name);
    if (errorCode !== ErrorCode.none) throw new RefusedError(action, errorCode, errorMessage);
  }
  const { terminal } = world;
  if (given.has("json")) {
    await writeJson(terminal, {
      topic,
      configs: Object.fromEntries(changes.map(({ name, value }) => [name, value])),
    });
    return exitCodes.ok;
  }
  for (const { name, value } of changes) {
    await terminal.write(`${topic}: ${name} ${value === null ? "has its default again" : `is ${value}`}\n`);
  }
  return exitCodes.ok;
}

function unknownConfig(topic: string, name: string): CommandError {
  const nearest = nearestName(name, topicConfigs.keys());
  const hint = nearest
    ? `Did you mean "${nearest}"`
    : `"millrace topics configs get ${topic} --all" shows all`;
  return new CommandError(`Cannot use config "${name}": topics have none of that name`, { hint });
}
