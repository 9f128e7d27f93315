import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Produce } from "#protocol/messages/produce.ts";
import { routes } from "#src/handlers/routes.ts";
import { BrokerWorld, batchOf } from "../broker-world.ts";
import { plausibleRequest, type Surroundings } from "./plausible-requests.ts";

/** More by `MILLRACE_ROUTE_RUNS`. */
const runs = Number(process.env.MILLRACE_ROUTE_RUNS ?? 20);
const maxWaitMs = 120_000;

const served = [...routes.values()].flatMap(({ api, advertised: [, max] }) => {
  const [min] = api.versions;
  return Array.from({ length: max - min + 1 }, (_, at) => ({ api, version: min + at, name: api.name }));
});

let world: BrokerWorld;

beforeAll(async () => {
  world = await BrokerWorld.start();
  await replenish();
});

afterAll(() => world[Symbol.asyncDispose]());

/** Earlier requests may have removed what later ones are to hit. */
async function replenish(): Promise<Surroundings> {
  for (const [name, partitions] of [
    ["t", 1],
    ["u", 2],
  ] as const) {
    if (world.broker.metadata.image.topics.has(name)) continue;
    expect(await world.createTopic(name, { partitions })).toBe(0);
    await world.clock.until(world.produce(name, batchOf(["a", "b"])));
  }
  return {
    topics: ["t", "u", "", "new", "__consumer_offsets", "no such topic!", "1"],
    topicIds: [...world.broker.metadata.image.topicNames.keys()],
    groups: ["g", "h", "", "t"],
    batch: batchOf(["x"]),
  };
}

describe.each(served)("$name v$version", ({ api, version }) => {
  test("answers whatever it is asked in a form that the version has", async () => {
    const surroundings = await replenish();
    await fc.assert(
      fc.asyncProperty(plausibleRequest(api, version, surroundings), async (request) => {
        if (api.key === Produce.key && request.acks === 0) return;
        await world.clock.until(world.begin(api, version, request), maxWaitMs);
      }),
      { numRuns: runs },
    );
    expect(world.fatal).toEqual([]);
  });
});

test("nothing that was asked has ended the broker", async () => {
  expect(world.fatal).toEqual([]);
  expect(await world.createTopic("afterwards")).toBe(0);
  await world.clock.until(world.produce("afterwards", batchOf(["a"])));
  expect((await world.read("afterwards")).values).toMatchObject([{ value: "a" }]);
});
