import { expect, test } from "vitest";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { votersOnly } from "#raft/core/configuration.ts";
import type { Entry } from "#raft/core/entry.ts";
import { replicaId } from "#raft/core/replica-id.ts";
import { JournalLogStore } from "#src/runtime/journal-log-store.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import { Journal } from "#storage/journal/journal.ts";

async function open(files: MemoryFileSystem) {
  const { journal, groups } = await Journal.open({
    ...{ files, directory: "journal", arena: new BufferArena({ bytesMax: 64 << 20 }), checksum: crc32c },
    random: () => 0.5,
    fileBytes: 1 << 20,
  });
  const store = new JournalLogStore(journal, {
    recovered: groups,
    clock: { monotonicMs: () => 0 },
    onFlushed: () => undefined,
  });
  return { journal, store };
}

async function memory(): Promise<MemoryFileSystem> {
  const files = new MemoryFileSystem();
  await files.makeDirectory("journal");
  return files;
}

function entry(index: number, term: number, sizeBytes = 100): Entry {
  const payload = new Uint8Array(sizeBytes).fill(index);
  return { index, term, kind: "data", baseOffset: index - 1, offsetCount: 1, payload };
}

const all = { firstIndex: 1, lastIndex: 1_000, bytesMax: Infinity };

test("reads what this run wrote, and after a restart what it finds", async () => {
  const files = await memory();
  const first = await open(files);
  const entries = [1, 2, 3, 4].map((index) => entry(index, 1));
  first.store.append(7, entries);
  await first.store.flush();
  expect(await first.store.read(7, all)).toEqual(entries);
  await first.journal.close();

  const second = await open(files);
  expect(await second.store.read(7, { ...all, firstIndex: 2 })).toEqual(entries.slice(1));
  expect(await second.store.read(7, { ...all, bytesMax: 250 })).toEqual(entries.slice(0, 2));
  expect(await second.store.read(7, { ...all, bytesMax: 1 })).toEqual(entries.slice(0, 1));
  expect(await second.store.read(8, all)).toEqual([]);
  await second.journal.close();
});

test("an entry that took another's place is read in its place, with nothing behind it", async () => {
  const { journal, store } = await open(await memory());
  store.append(7, [entry(1, 1), entry(2, 1), entry(3, 1)]);
  await store.flush();
  store.append(7, [entry(2, 2, 50)]);
  await store.flush();
  expect(await store.read(7, all)).toEqual([entry(1, 1), entry(2, 2, 50)]);
  await journal.close();
});

test("payloads that nobody wants are not read", async () => {
  const { journal, store } = await open(await memory());
  store.append(7, [entry(1, 1), entry(2, 1)]);
  await store.flush();
  const read = await store.read(7, { ...all, wantsPayload: ({ index }) => index > 1 });
  expect(read.map(({ payload }) => payload.length)).toEqual([0, 100]);
  await journal.close();
});

test("entries below a floor, and those of a forgotten group, are there no more", async () => {
  const { journal, store } = await open(await memory());
  store.append(7, [entry(1, 1), entry(2, 1)]);
  store.append(8, [entry(1, 1)]);
  await store.flush();
  store.advanceFloor(7, { index: 1, term: 1, nextOffset: 1, configuration: votersOnly([1]) });
  store.forget(8);
  expect(await store.read(7, all)).toEqual([]);
  expect(await store.read(7, { ...all, firstIndex: 2 })).toEqual([entry(2, 1)]);
  expect(await store.read(8, all)).toEqual([]);
  await journal.close();
});

test("a start finds the vote for any disk of a node, and with the floor its offset and who votes", async () => {
  const files = await memory();
  const votedFor = replicaId({ nodeId: 2 ** 31 - 1, incarnation: 2 ** 22 - 1 });
  const configuration = votersOnly([1, 2, votedFor]);
  const first = await open(files);
  first.store.setHardState(7, { term: 5, votedFor });
  first.store.setHardState(8, { term: 1, votedFor: -1 });
  first.store.append(7, [entry(1, 1), entry(2, 1), entry(3, 5)]);
  first.store.advanceFloor(7, { index: 2, term: 1, nextOffset: 2, configuration });
  await first.store.flush();
  await first.journal.close();

  const { journal, store } = await open(files);
  expect(store.stored(7)).toMatchObject({
    hardState: { term: 5, votedFor },
    floor: { index: 2, term: 1 },
    floorNextOffset: 2,
    configuration,
    entries: [{ index: 3, term: 5 }],
  });
  expect(store.stored(8)).toMatchObject({ hardState: { term: 1, votedFor: -1 }, configuration: undefined });
  expect(store.stored(9)).toBeUndefined();
  store.forget(7);
  expect(store.stored(7)).toBeUndefined();
  await journal.close();
});

test("a floor says from which term on a replica takes part that has forgotten its log, where it has", async () => {
  const files = await memory();
  const first = await open(files);
  first.store.setHardState(7, { term: 6, votedFor: -1 });
  const floor = { index: 0, term: 0, nextOffset: 0, configuration: votersOnly([]) };
  first.store.advanceFloor(7, { ...floor, rejoinTerm: 6 });
  first.store.advanceFloor(8, { ...floor, configuration: votersOnly([1, 2]), rejoinTerm: 2 ** 40 });
  first.store.advanceFloor(9, { ...floor, configuration: votersOnly([1, 2]) });
  await first.store.flush();
  await first.journal.close();
  const { journal, store } = await open(files);
  expect(store.stored(7)).toMatchObject({ rejoinTerm: 6, configuration: votersOnly([]) });
  expect(store.stored(8)).toMatchObject({ rejoinTerm: 2 ** 40, configuration: votersOnly([1, 2]) });
  expect(store.stored(9)?.rejoinTerm).toBeUndefined();
  await journal.close();
});

test("a floor's state lives on in the files that follow", async () => {
  const files = await memory();
  const first = await open(files);
  const configuration = votersOnly([1, 2, 3]);
  first.store.append(7, [entry(1, 1)]);
  first.store.advanceFloor(7, { index: 1, term: 1, nextOffset: 1, configuration });
  for (let index = 1; index <= 40; index++) {
    first.store.append(8, [entry(index, 1, 100_000)]);
    await first.store.flush();
    first.store.advanceFloor(8, { index, term: 1, nextOffset: index, configuration: votersOnly([1]) });
  }
  await first.store.flush();
  await first.journal.close();
  const { journal, store } = await open(files);
  expect(store.stored(7)).toMatchObject({ configuration, floorNextOffset: 1 });
  await journal.close();
});
