import { describe, expect, test } from "vitest";
import { wantsColour } from "#src/cli/terminal.ts";

describe("colour", () => {
  test.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: false }, {}, false],
    [{ isTTY: true }, { NO_COLOR: "1" }, false],
    [{ isTTY: true }, { NO_COLOR: "" }, true],
    [{ isTTY: true }, { TERM: "dumb" }, false],
    [{ isTTY: false }, { FORCE_COLOR: "1" }, true],
    [{ isTTY: true }, { FORCE_COLOR: "0" }, false],
    [{ isTTY: false }, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("%j with %j: %s", (stream, environment, wanted) => {
    expect(wantsColour(stream, environment)).toBe(wanted);
  });
});
