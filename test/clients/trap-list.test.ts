import { expect, test } from "vitest";
import { traps } from "./trap-list.ts";
import { trapNames } from "./trap-names.ts";

const names = await trapNames();
const applying = traps.filter(({ later }) => later === undefined);

test.each(applying)("a test names trap $number: $rule", ({ number }) => {
  expect(names.get(number) ?? []).not.toEqual([]);
});
