import { AlterConfigs } from "#protocol/messages/alter-configs.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import type { RequestInput } from "#protocol/schema/api.ts";
import { requests, type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { fixtures } from "./fixtures.ts";

type Change = readonly [operation: number, name: string, value: string | null];

const [topicType, brokerType, loggerType, metricsType, groupType] = [2, 4, 8, 16, 32];
const [set, remove, append, subtract] = [0, 1, 2, 3];

/** Reading and changing configs. */
export const configScenarios: readonly Scenario[] = [
  ...requests(DescribeConfigs, {
    "a topic": describe(topicType, fixtures.compacted),
    "a topic with synonyms": { ...describe(topicType, fixtures.small), includeSynonyms: true },
    "some configs of a topic": describe(topicType, fixtures.small, ["max.message.bytes", "retention.ms"]),
    "an unknown config of a topic": describe(topicType, fixtures.small, ["no.such.config"]),
    "no configs of a topic": describe(topicType, fixtures.small, []),
    "an unknown topic": describe(topicType, fixtures.unknown),
    "a bad topic name": describe(topicType, "bad name!"),
    "an empty topic name": describe(topicType, ""),
    "the topic of offsets": describe(topicType, "__consumer_offsets"),
    "this broker": describe(brokerType, "1"),
    "this broker with synonyms": { ...describe(brokerType, "1"), includeSynonyms: true },
    "all brokers": describe(brokerType, ""),
    "another broker": describe(brokerType, "7"),
    "a broker that is no number": describe(brokerType, "one"),
    "a group": describe(groupType, "group"),
    "no group": describe(groupType, ""),
    "client metrics": describe(metricsType, "metrics"),
    "no client metrics": describe(metricsType, ""),
    loggers: describe(loggerType, "1", ["root"]),
    "loggers of another broker": describe(loggerType, "7"),
    "an unknown type": describe(99, "x"),
    "type 0": describe(0, "x"),
    "no resources": { resources: [] },
    "a resource twice": {
      resources: [
        { resourceType: topicType, resourceName: fixtures.small, configurationKeys: ["retention.ms"] },
        { resourceType: topicType, resourceName: fixtures.small, configurationKeys: ["segment.ms"] },
      ],
    },
  }),
  ...requests(
    DescribeConfigs,
    {
      "a topic with documentation": { ...describe(topicType, fixtures.small), includeDocumentation: true },
      "a broker with documentation": { ...describe(brokerType, "1"), includeDocumentation: true },
    },
    { since: 3 },
  ),

  ...changes({
    "set one": [[set, "retention.ms", "1000"]],
    "set several": [
      [set, "retention.ms", "1000"],
      [set, "cleanup.policy", "compact,delete"],
    ],
    "set with blanks": [[set, "retention.ms", " 1000 "]],
    "set null": [[set, "retention.ms", null]],
    "set nothing": [[set, "retention.ms", ""]],
    "set to its default": [[set, "retention.ms", "604800000"]],
    "an unknown config": [[set, "no.such.config", "1"]],
    "no number": [[set, "retention.ms", "soon"]],
    "out of range": [[set, "segment.bytes", "1"]],
    "no choice": [[set, "cleanup.policy", "burn"]],
    "a wrong name": [[set, "retention ms", "1"]],
    "an empty name": [[set, "", "1"]],
    "remove what is not set": [[remove, "retention.ms", null]],
    "remove with a value": [[remove, "max.message.bytes", "1"]],
    "remove what is set": [[remove, "max.message.bytes", null]],
    "remove an unknown config": [[remove, "no.such.config", null]],
    "append to a list": [[append, "cleanup.policy", "compact"]],
    "append what is there": [[append, "cleanup.policy", "delete"]],
    "append to no list": [[append, "retention.ms", "1"]],
    "append null": [[append, "cleanup.policy", null]],
    "append a bad choice": [[append, "cleanup.policy", "burn"]],
    "append throttled replicas": [[append, "leader.replication.throttled.replicas", "0:1"]],
    "subtract from a list": [[subtract, "cleanup.policy", "delete"]],
    "subtract what is not there": [[subtract, "cleanup.policy", "compact"]],
    "subtract from no list": [[subtract, "retention.ms", "1"]],
    "an unknown operation": [[9, "retention.ms", "1"]],
    "one config twice": [
      [set, "retention.ms", "1"],
      [set, "retention.ms", "2"],
    ],
    "set and remove": [
      [set, "retention.ms", "1"],
      [remove, "retention.ms", null],
    ],
    "one good, one bad": [
      [set, "retention.ms", "1"],
      [set, "segment.bytes", "1"],
    ],
    "no changes": [],
    "configs that contradict": [
      [set, "min.compaction.lag.ms", "10"],
      [set, "max.compaction.lag.ms", "5"],
    ],
    "remote storage": [[set, "remote.storage.enable", "true"]],
  }),
  ...requests(IncrementalAlterConfigs, {
    "an unknown topic": change(topicType, fixtures.unknown, [[set, "retention.ms", "1"]]),
    "a bad topic name": change(topicType, "bad name!", [[set, "retention.ms", "1"]]),
    "an empty topic name": change(topicType, "", [[set, "retention.ms", "1"]]),
    "another broker": change(brokerType, "7", [[set, "log.cleaner.threads", "2"]]),
    "a broker that is no number": change(brokerType, "one", [[set, "log.cleaner.threads", "2"]]),
    "an unknown config of this broker": change(brokerType, "1", [[set, "no.such.config", "2"]]),
    "a read-only config of this broker": change(brokerType, "1", [[set, "node.id", "2"]]),
    "a read-only config of all brokers": change(brokerType, "", [[set, "log.dirs", "/tmp"]]),
    "a cluster-wide config, wrong": change(brokerType, "", [[set, "log.retention.ms", "soon"]]),
    "a config of one broker for all": change(brokerType, "", [
      [set, "listener.name.x.ssl.keystore.location", "2"],
    ]),
    "an unknown type": change(99, "x", [[set, "retention.ms", "1"]]),
    "an unknown config of a group": change(groupType, "group", [[set, "no.such.config", "1"]]),
    "a config of a group, wrong": change(groupType, "group", [[set, "consumer.session.timeout.ms", "1"]]),
    "a config of no group": change(groupType, "", [[set, "consumer.session.timeout.ms", "50000"]]),
    "a resource twice": async (wire) => {
      const resource = { resourceType: topicType, resourceName: await wire.topic("t"), configs: [] };
      return { resources: [resource, resource] };
    },
    "no resources": { resources: [] },
  }),
  scenario(IncrementalAlterConfigs, "a config of this broker, set and removed", async (wire) => {
    await altered(wire, brokerType, "1", [set, "log.cleaner.backoff.ms", "14000"]);
    await altered(wire, brokerType, "1", [remove, "log.cleaner.backoff.ms", null]);
  }),
  scenario(IncrementalAlterConfigs, "a config of all brokers, set and removed", async (wire) => {
    await altered(wire, brokerType, "", [set, "log.cleaner.backoff.ms", "14000"]);
    await altered(wire, brokerType, "", [remove, "log.cleaner.backoff.ms", null]);
  }),
  scenario(IncrementalAlterConfigs, "a config of a group, set and removed", async (wire) => {
    const group = wire.name("g");
    await altered(wire, groupType, group, [set, "consumer.session.timeout.ms", "50000"]);
    await altered(wire, groupType, group, [remove, "consumer.session.timeout.ms", null]);
  }),

  ...replacements({
    "replace one": [["retention.ms", "1000"]],
    "replace all with nothing": [],
    "an unknown config": [["no.such.config", "1"]],
    "no number": [["retention.ms", "soon"]],
    "a null value": [["retention.ms", null]],
    "one config twice": [
      ["retention.ms", "1"],
      ["retention.ms", "2"],
    ],
    "configs that contradict": [
      ["min.compaction.lag.ms", "10"],
      ["max.compaction.lag.ms", "5"],
    ],
  }),
  ...requests(AlterConfigs, {
    "an unknown topic": replace(topicType, fixtures.unknown, [["retention.ms", "1"]]),
    "another broker": replace(brokerType, "7", [["log.cleaner.threads", "2"]]),
    "an unknown type": replace(99, "x", []),
    "a read-only config of this broker": replace(brokerType, "1", [["node.id", "2"]]),
    "no resources": { resources: [] },
  }),
  // Kafka takes its time to say nothing: one version is enough.
  ...requests(
    AlterConfigs,
    {
      "a resource twice": (wire) => {
        const resource = { resourceType: topicType, resourceName: wire.name("none"), configs: [] };
        return { resources: [resource, resource] };
      },
    },
    { since: AlterConfigs.versions[1] },
  ),
];

function describe(
  resourceType: number,
  resourceName: string,
  configurationKeys: readonly string[] | null = null,
): RequestInput<typeof DescribeConfigs> {
  return { resources: [{ resourceType, resourceName, configurationKeys }] };
}

/** What a topic has on its own. */
async function own(wire: Wire, resourceType: number, name: string): Promise<void> {
  await wire.settle();
  const answer = await wire.ask(DescribeConfigs, { ...describe(resourceType, name), includeSynonyms: true });
  const [result] = answer.results;
  const changed = result?.configs.filter(({ configSource }) => [1, 2, 3, 8].includes(configSource));
  wire.note("what is set now", { errorCode: result?.errorCode, configs: changed });
}

/** Changes to a topic of its own that has max.message.bytes set; validated, then done, then read. */
function changes(table: Readonly<Record<string, readonly Change[]>>): Scenario[] {
  return Object.entries(table).map(([title, wanted]) =>
    scenario(IncrementalAlterConfigs, title, async (wire) => {
      const name = await wire.topic("t", { configs: { "max.message.bytes": "5000" } });
      const request = change(topicType, name, wanted);
      await wire.send("validate", IncrementalAlterConfigs, { ...request, validateOnly: true });
      await wire.send("change", IncrementalAlterConfigs, request);
      await own(wire, topicType, name);
    }),
  );
}

async function altered(wire: Wire, type: number, name: string, wanted: Change): Promise<void> {
  await wire.send(`change ${wanted[0]}`, IncrementalAlterConfigs, change(type, name, [wanted]));
  await own(wire, type, name);
}

function change(
  resourceType: number,
  resourceName: string,
  wanted: readonly Change[],
): RequestInput<typeof IncrementalAlterConfigs> {
  const configs = wanted.map(([configOperation, name, value]) => ({ configOperation, name, value }));
  return { resources: [{ resourceType, resourceName, configs }] };
}

function replacements(
  table: Readonly<Record<string, readonly (readonly [name: string, value: string | null])[]>>,
): Scenario[] {
  return Object.entries(table).map(([title, configs]) =>
    scenario(AlterConfigs, title, async (wire) => {
      const name = await wire.topic("t", { configs: { "max.message.bytes": "5000" } });
      const request = replace(topicType, name, configs);
      await wire.send("validate", AlterConfigs, { ...request, validateOnly: true });
      await wire.send("replace", AlterConfigs, request);
      await own(wire, topicType, name);
    }),
  );
}

function replace(
  resourceType: number,
  resourceName: string,
  configs: readonly (readonly [name: string, value: string | null])[],
): RequestInput<typeof AlterConfigs> {
  const named = configs.map(([name, value]) => ({ name, value }));
  return { resources: [{ resourceType, resourceName, configs: named }] };
}
