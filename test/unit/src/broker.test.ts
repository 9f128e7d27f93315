import { expect, test } from "vitest";
import { BrokerWorld, batchOf } from "./broker-world.ts";

test("what was produced is read back in order", async () => {
  await using world = await BrokerWorld.start();
  expect(await world.createTopic("t")).toBe(0);
  const first = await world.clock.until(world.produce("t", batchOf(["a", "b"])));
  const second = await world.clock.until(world.produce("t", batchOf(["c"]), { acks: 1 }));
  expect([first, second]).toMatchObject([
    { errorCode: 0, baseOffset: 0 },
    { errorCode: 0, baseOffset: 2 },
  ]);
  const { values, highWatermark } = await world.read("t");
  expect(values.map(({ value }) => value)).toEqual(["a", "b", "c"]);
  expect(highWatermark).toBe(3);
});
