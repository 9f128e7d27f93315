import { expect, test } from "vitest";
import { withAligned } from "#storage/io/aligned-loan.ts";
import { ArenaFullError, BufferArena } from "#storage/io/buffer-arena.ts";

const block = 4096;

test("a hundred borrowers of a small arena all get their turn, and it comes back whole", async () => {
  const arena = new BufferArena({ bytesMax: 4 * block });
  const sizes = Array.from({ length: 100 }, (_, i) => ((i * 7) % 4) + 1);
  const results = await Promise.all(
    sizes.map((blocks, i) =>
      withAligned(arena, blocks * block, async (buffer) => {
        expect(buffer.length).toBe(blocks * block);
        for (let turn = 0; turn < i % 5; turn++) await Promise.resolve();
        return i;
      }),
    ),
  );
  expect(results).toEqual(sizes.map((_, i) => i));
  expect(arena.usedBytes).toBe(0);
});

test("a loan that failed is given back, and the next borrower goes on", async () => {
  const arena = new BufferArena({ bytesMax: block });
  const failing = withAligned(arena, block, async () => {
    throw new Error("work failed");
  });
  const next = withAligned(arena, block, async () => "done");
  await expect(failing).rejects.toThrow("work failed");
  expect(await next).toBe("done");
});

test("nobody waits for memory that no loan will give back", async () => {
  const arena = new BufferArena({ bytesMax: 2 * block });
  const kept = arena.allocate(block);
  const loans = [0, 1, 2].map(() => withAligned(arena, 2 * block, async () => "lent"));
  const results = await Promise.allSettled(loans);
  expect(results.map((result) => result.status)).toEqual(["rejected", "rejected", "rejected"]);
  await expect(withAligned(arena, 2 * block, async () => "lent")).rejects.toThrow(ArenaFullError);
  arena.release(kept);
  expect(await withAligned(arena, 2 * block, async () => "lent")).toBe("lent");
});
