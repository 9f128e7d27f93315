import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyMap } from "#storage/retention/key-map.ts";

const hashOf = (key: string) => createHash("sha256").update(key).digest();

/** As bad as hashes come: all keys begin their search at the same slot. */
const clustered = (key: string) => {
  const hash = hashOf(key);
  hash.fill(0, 0, 4);
  return hash;
};

describe("a key map", () => {
  test.each([
    { name: "good", hash: hashOf },
    { name: "clustered", hash: clustered },
  ])("answers as a Map does, with $name hashes", ({ hash }) => {
    const puts = fc.array(fc.tuple(fc.string({ maxLength: 2 }), fc.nat(2 ** 50)), { maxLength: 200 });
    fc.assert(
      fc.property(puts, fc.double({ min: 0.2, max: 1, noNaN: true }), (entries, loadFactor) => {
        const model = new Map<string, number>();
        const map = new KeyMap({ bytesMax: 1 << 20, loadFactor, keysMax: 200 });
        for (const [key, offset] of entries) {
          expect(map.put(hash(key), offset)).toBe(true);
          model.set(key, offset);
        }
        expect(map.count).toBe(model.size);
        for (const [key, offset] of model) expect(map.get(hash(key))).toBe(offset);
        expect(map.get(hash("not there"))).toBeUndefined();
      }),
    );
  });

  test("takes no more keys than fit, and goes on with those that it has", () => {
    const map = new KeyMap({ bytesMax: 24 * 10, loadFactor: 0.5, keysMax: 1e9 });
    expect(map.keysMax).toBe(5);
    for (let i = 0; i < 5; i++) expect(map.put(hashOf(`${i}`), i)).toBe(true);
    expect(map.put(hashOf("one more"), 5)).toBe(false);
    expect(map.get(hashOf("one more"))).toBeUndefined();
    expect(map.put(hashOf("3"), 6)).toBe(true);
    expect(map.get(hashOf("3"))).toBe(6);
    expect(map.count).toBe(5);
  });

  test("has room for one key however little memory it gets, and ends every search", () => {
    const map = new KeyMap({ bytesMax: 0, loadFactor: 1, keysMax: 1 });
    expect(map.put(hashOf("a"), 0)).toBe(true);
    expect(map.put(hashOf("b"), 1)).toBe(false);
    expect([map.get(hashOf("a")), map.get(hashOf("b"))]).toEqual([0, undefined]);
  });
});
