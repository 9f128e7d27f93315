import { describe, expect, test } from "vitest";
import { type Arguments, parseArguments } from "#src/cli/arguments.ts";
import type { Command } from "#src/cli/command.ts";
import { UsageError } from "#src/cli/failure.ts";

const command: Command = {
  name: "paint wall",
  summary: "",
  positionals: [{ name: "WALL", takes: "some" }],
  options: [
    { name: "colour", short: "c", value: "NAME", summary: "" },
    { name: "layer", value: "TEXT", isRepeated: true, summary: "" },
    { name: "dry", short: "d", summary: "" },
  ],
  load: () => Promise.reject(new Error("not run")),
};

const parse = (...args: string[]): Arguments => parseArguments(command, args);

describe("flags", () => {
  test("take their value behind a space, behind =, and behind their letter", () => {
    for (const args of [["--colour", "red"], ["--colour=red"], ["-c", "red"], ["-cred"]]) {
      expect(parse("north", ...args).text("colour")).toBe("red");
    }
  });

  test("take a value that begins with a dash, an empty one, and one with =", () => {
    expect(parse("north", "--colour", "-10").text("colour")).toBe("-10");
    expect(parse("north", "--colour=").text("colour")).toBe("");
    expect(parse("north", "--colour=a=b").text("colour")).toBe("a=b");
  });

  test("may stand anywhere, until -- ends them", () => {
    const given = parse("--dry", "north", "-c", "red", "--", "--south", "-x");
    expect(given.words).toEqual(["north", "--south", "-x"]);
    expect(given.has("dry")).toBe(true);
  });

  test("repeat where they may", () => {
    expect(parse("n", "--layer", "1", "--layer=2").texts("layer")).toEqual(["1", "2"]);
    expect(() => parse("n", "-c", "red", "-c", "blue")).toThrow(new UsageError("Cannot use --colour twice"));
  });
});

describe("misuse is one line that says what is wrong", () => {
  test.each([
    [
      ["n", "--color", "red"],
      'Cannot use the flag "--color": millrace paint wall has none of that name, did you mean "--colour"',
    ],
    [
      ["n", "-x"],
      'Cannot use the flag "-x": millrace paint wall has none of that name, see "millrace paint wall --help"',
    ],
    [["n", "--colour"], "Cannot use --colour: it needs a value, NAME"],
    [["n", "--dry=yes"], 'Cannot use "--dry=yes": --dry takes no value'],
    [[], 'Cannot run "millrace paint wall": WALL is missing, see "millrace paint wall --help"'],
  ])("%j", (args, message) => {
    expect(() => parse(...args)).toThrow(new UsageError(message));
  });

  test("a word too many", () => {
    const single: Command = { ...command, positionals: [{ name: "WALL", takes: "one" }] };
    expect(() => parseArguments(single, ["north", "south"])).toThrow(
      new UsageError('Cannot use the word "south": see "millrace paint wall --help"'),
    );
  });
});

describe("values", () => {
  test.each(["1.5", "", "x", "0", "11", "1e3", "99999999999999999999"])(
    "%j is no whole number from 1 to 10",
    (text) => {
      expect(() => parse("n", "--colour", text).integer("colour", { min: 1, max: 10 })).toThrow(UsageError);
    },
  );

  test("integers within the bounds are taken, absent ones are undefined", () => {
    expect(parse("n", "-c", "10").integer("colour", { min: 1, max: 10 })).toBe(10);
    expect(parse("n").integer("colour", { min: 1 })).toBeUndefined();
  });

  test("a choice is one of its words", () => {
    expect(parse("n", "-c", "red").choice("colour", ["red", "blue"])).toBe("red");
    expect(() => parse("n", "-c", "rot").choice("colour", ["red", "blue"])).toThrow(
      new UsageError('Cannot use --colour "rot": it is one of red, blue'),
    );
  });

  test("pairs are split at their first =", () => {
    expect(parse("n", "--layer", "a=b=c", "--layer", "x=").pairs("layer")).toEqual([
      ["a", "b=c"],
      ["x", ""],
    ]);
    expect(() => parse("n", "--layer", "=b").pairs("layer")).toThrow(UsageError);
    expect(() => parse("n", "--layer", "b").pairs("layer")).toThrow(UsageError);
  });
});
