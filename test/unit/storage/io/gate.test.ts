import { describe, expect, test } from "vitest";
import { Gate } from "#storage/io/gate.ts";

describe("a gate", () => {
  test("lets as many through as it has places, the others in turn", async () => {
    const gate = new Gate(2);
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const passes = [0, 1, 2, 3, 4].map((number) =>
      gate.pass(async () => {
        started.push(number);
        await new Promise<void>((resolve) => finish.push(resolve));
        return number;
      }),
    );
    expect(started).toEqual([0, 1]);
    finish[1]?.();
    await passes[1];
    await turn();
    expect(started).toEqual([0, 1, 2]);
    finish[0]?.();
    finish[2]?.();
    await turn();
    expect(started).toEqual([0, 1, 2, 3, 4]);
    for (const done of finish) done();
    expect(await Promise.all(passes)).toEqual([0, 1, 2, 3, 4]);
  });

  test("goes on after a call that failed", async () => {
    const gate = new Gate(1);
    await expect(gate.pass(async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await gate.pass(async () => 7)).toBe(7);
  });
});

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
