import { expect, test } from "vitest";
import { FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { OffsetOutOfRangeError } from "#storage/log/log-error.ts";
import { appendMany, logFixture } from "./log-fixture.ts";

test("a read below a new start is refused, never answered with what comes after, while old files are removed", async () => {
  let duringRemoval: (() => void) | undefined;
  const files = new FaultyFileSystem({
    onChange: ({ kind, path }, phase) => {
      if (kind === "remove" && path.endsWith(".log") && phase === "started") duringRemoval?.();
    },
  });
  await using log = await logFixture(files).open();
  appendMany(log, 60);
  await log.flush();
  expect(log.segments().length).toBeGreaterThan(2);
  const startOffset = log.segments()[1]?.baseOffset ?? 0;
  const outcomes: unknown[] = [];
  const request = { maxBytes: 1, upToOffset: 60, atLeastOneBatch: true };
  duringRemoval = () => {
    try {
      outcomes.push(log.read({ offset: startOffset - 1, ...request }));
    } catch (error) {
      outcomes.push(error);
    }
  };
  await log.trimTo(startOffset);
  expect(outcomes.length).toBeGreaterThan(0);
  for (const outcome of outcomes) expect(outcome).toBeInstanceOf(OffsetOutOfRangeError);
});
