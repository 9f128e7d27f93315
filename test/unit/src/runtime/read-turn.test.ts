import { expect, test } from "vitest";
import { ReadTurn } from "#src/runtime/read-turn.ts";

function receiver(name: string, events: string[]) {
  return { hold: () => events.push(`hold ${name}`), release: () => events.push(`release ${name}`) };
}

test("who receives beyond the turn's share is held until the next turn, once", () => {
  const soon: (() => void)[] = [];
  const events: string[] = [];
  const turn = new ReadTurn((callback) => soon.push(callback));
  const [a, b] = [receiver("a", events), receiver("b", events)];

  turn.take(1 << 20, a);
  turn.take(2 << 20, b);
  expect(events).toEqual([]);
  turn.take(2 << 20, a);
  turn.take(10, a);
  turn.take(10, b);
  expect(events).toEqual(["hold a", "hold b"]);

  expect(soon.length).toBe(1);
  soon.shift()?.();
  expect(events).toEqual(["hold a", "hold b", "release a", "release b"]);
  turn.take(3 << 20, a);
  expect(events.length).toBe(4);
  expect(soon.length).toBe(1);
});
