import { expect, test } from "vitest";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { Produce } from "#protocol/messages/produce.ts";
import type { Api } from "#protocol/schema/api.ts";
import { routes } from "#src/handlers/routes.ts";
import { ErrorTally, errorCounterOf } from "#src/telemetry/error-counter.ts";

function countsOf(api: Api, response: unknown): Record<string, number> {
  const tally = new ErrorTally();
  errorCounterOf(api)(response, tally);
  return { ...(tally.none > 0 && { "0": tally.none }), ...Object.fromEntries(tally.failures) };
}

test("an error of the whole answer is counted once", () => {
  expect(countsOf(Heartbeat, { errorCode: 27 })).toEqual({ "27": 1 });
});

test("a code that was left out is success, as on the wire", () => {
  expect(countsOf(Heartbeat, {})).toEqual({ "0": 1 });
});

test("every partition of an answer counts", () => {
  const response = {
    responses: [
      {
        name: "a",
        partitionResponses: [
          { index: 0, errorCode: 0 },
          { index: 1, errorCode: 3 },
        ],
      },
      { name: "b", partitionResponses: [{ index: 0, errorCode: 3 }] },
    ],
  };
  expect(countsOf(Produce, response)).toEqual({ "0": 1, "3": 2 });
  expect(countsOf(ListOffsets, { topics: [{ partitions: [{ errorCode: 6 }] }] })).toEqual({ "6": 1 });
});

test("codes at several depths of one answer are all counted", () => {
  const response = { groups: [{ errorCode: 16, topics: [{ partitions: [{ errorCode: 5 }] }] }] };
  expect(countsOf(OffsetFetch, response)).toEqual({ "0": 1, "5": 1, "16": 1 });
});

test("missing and null arrays hold nothing to count", () => {
  expect(countsOf(Produce, {})).toEqual({});
  expect(countsOf(Produce, { responses: null })).toEqual({});
});

test("every served API but those without an error field has somewhere to count", () => {
  const silent = [...routes.values()].filter(({ api }) => {
    const hasField = JSON.stringify(api.response.fields).includes("errorCode");
    return !hasField;
  });
  expect(silent.map(({ api }) => api.name)).toEqual([]);
});
