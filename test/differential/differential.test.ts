import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiByKey } from "#protocol/apis.ts";
import { routes } from "#src/handlers/routes.ts";
import { BrokerProcess } from "../integration/broker-process.ts";
import { temporaryDirectory } from "../integration/temporary-directory.ts";
import { kafkaMissing, startApacheKafka } from "./apache-kafka.ts";
import { type Difference, differencesOf } from "./compare.ts";
import { type IntendedDifference, intendedDifferences, intentOf } from "./intended-differences.ts";
import { normalised } from "./normalise.ts";
import { meetPeer, type Peer, perform } from "./peer.ts";
import type { Scenario } from "./scenario.ts";
import { clusterScenarios } from "./scenarios/cluster.ts";
import { commitScenarios } from "./scenarios/commits.ts";
import { configScenarios } from "./scenarios/configs.ts";
import { makeFixtures } from "./scenarios/fixtures.ts";
import { groupScenarios } from "./scenarios/groups.ts";
import { oddValues } from "./scenarios/odd-values.ts";
import { produceScenarios } from "./scenarios/produce.ts";
import { recordScenarios } from "./scenarios/records.ts";
import { silentMemberScenarios } from "./scenarios/silent-members.ts";
import { topicScenarios } from "./scenarios/topics.ts";
import { waitingFetchScenarios } from "./scenarios/waiting-fetches.ts";
import { InexpressibleError } from "./wire.ts";

const settings = {
  "group.min.session.timeout.ms": "1000",
  "offsets.topic.num.partitions": "3",
  "num.partitions": "2",
  // The scenarios' records are years old.
  "log.retention.ms": "-1",
} as const;

/** What each of two nodes on one machine has for itself. */
const ownSettings = [
  "listeners",
  "advertised.listeners",
  "listener.security.protocol.map",
  "controller.listener.names",
  "log.dirs",
];

const scenarios: readonly Scenario[] = [
  ...clusterScenarios,
  ...topicScenarios,
  ...recordScenarios,
  ...waitingFetchScenarios,
  ...produceScenarios,
  ...configScenarios,
  ...groupScenarios,
  ...silentMemberScenarios,
  ...commitScenarios,
  ...[...routes.keys()].flatMap((key) => {
    const api = apiByKey.get(key);
    return api ? oddValues(api) : [];
  }),
];

describe.skipIf(kafkaMissing)(`compared with Apache Kafka${kafkaMissing ? `: ${kafkaMissing}` : ""}`, () => {
  const resources = new AsyncDisposableStack();
  const nowMs = Date.now();
  const seen = new Set<IntendedDifference>();
  let runCount = 0;
  let kafka: Peer;
  let millrace: Peer;

  beforeAll(async () => {
    const directory = resources.use(await temporaryDirectory());
    const peer = resources.use(await startApacheKafka(settings));
    const config = Object.fromEntries(
      Object.entries(peer.settings).filter(([name]) => !ownSettings.includes(name)),
    );
    const broker = resources.use(await BrokerProcess.start({ logDirectory: directory.path, config }));
    kafka = await meetPeer(peer.bootstrapServers, nowMs);
    millrace = await meetPeer(broker.bootstrapServers, nowMs);
    const place = { prefix: "", version: 0, nowMs };
    await Promise.all([kafka, millrace].map((each) => perform(each, makeFixtures, place)));
  }, 180_000);
  afterAll(async () => {
    await resources.disposeAsync();
  });

  const byApi = Map.groupBy(scenarios, ({ api }) => api.name);
  for (const [api, ofApi] of byApi) {
    describe(api, () => {
      test.for(ofApi.map((scenario, index) => ({ ...scenario, index })))("$name", async (scenario) => {
        const report = await compared(scenario, `${api}-${scenario.index}`);
        runCount += 1;
        expect(report, report.join("\n")).toEqual([]);
      });
    });
  }

  test("every intended difference shows", ({ skip }) => {
    skip(runCount < scenarios.length, "only some scenarios ran");
    const stale = intendedDifferences.filter((intent) => !seen.has(intent)).map(({ title }) => title);
    expect(stale).toEqual([]);
  });

  /** Runs a scenario in all its versions; a line for each difference, with the versions that show it. */
  async function compared(scenario: Scenario, prefix: string): Promise<string[]> {
    const versionsByLine = new Map<string, number[]>();
    let expressible = 0;
    for (const version of scenario.versions) {
      const differences = await comparedInVersion(scenario, prefix, version);
      if (!differences) continue;
      expressible += 1;
      for (const difference of differences) {
        const intent = intentOf(difference, { api: scenario.api.name, version, scenario: scenario.name });
        if (intent) seen.add(intent);
        else appendTo(versionsByLine, lineOf(difference).replaceAll(`${prefix}-v${version}`, "run"), version);
      }
    }
    expect(expressible, "versions that can express the scenario").toBeGreaterThan(0);
    return [...versionsByLine].map(([line, versions]) => `v${versions.join()} ${line}`);
  }

  async function comparedInVersion(
    scenario: Scenario,
    prefix: string,
    version: number,
  ): Promise<Difference[] | undefined> {
    const place = { prefix: `${prefix}-v${version}`, version, nowMs };
    try {
      const [theirs, ours] = await Promise.all(
        [kafka, millrace].map(async (peer) =>
          normalised(await perform(peer, (wire) => scenario.run(wire), place), peer.facts, nowMs),
        ),
      );
      return differencesOf(theirs, ours);
    } catch (error) {
      if (error instanceof InexpressibleError) return undefined;
      throw error;
    }
  }
});

function lineOf({ path, kafka, millrace }: Difference): string {
  return `${path}: kafka ${shown(kafka)}, millrace ${shown(millrace)}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function appendTo(lists: Map<string, number[]>, key: string, value: number): void {
  lists.set(key, [...(lists.get(key) ?? []), value]);
}
