import { expect, test } from "vitest";
import { BrokerLog } from "../../../../bench/soak/broker-log.ts";

test("a log counts what housekeeping did and what was told as a warning", () => {
  const log = new BrokerLog();
  expect(log.take('{"level":30,"msg":"removed expired segments","removedSegments":3}')).toBe(
    "removed expired segments",
  );
  log.take('{"level":30,"msg":"removed expired segments","removedSegments":2}');
  log.take('{"level":30,"msg":"compacted a log"}');
  log.take('{"level":40,"msg":"produce waits"}');
  expect(log).toMatchObject({ removedSegments: 5, compactions: 1, errors: [] });
  expect([...log.warnings]).toEqual([["produce waits", 1]]);
});

test("an error is kept whole, and so is a line that is no log line", () => {
  const log = new BrokerLog();
  log.take('{"level":60,"msg":"storage failed"}');
  log.take("Error: something");
  expect(log.errors).toEqual(['{"level":60,"msg":"storage failed"}', "Error: something"]);
});
