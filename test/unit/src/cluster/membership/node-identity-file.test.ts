import { expect, test } from "vitest";
import { NodeIdentityFile } from "#src/cluster/membership/node-identity-file.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import { replaceFile } from "#storage/snapshots/small-file.ts";

async function world() {
  const disk = { files: new MemoryFileSystem(), arena: new BufferArena({ bytesMax: 1 << 20 }) };
  await disk.files.makeDirectory("/data");
  const write = (text: string) => replaceFile(disk, "/data/meta.properties", Buffer.from(text));
  return { disk, write, file: new NodeIdentityFile(disk, "/data") };
}

test("a directory that nobody has used has no identity, and keeps the one it gets", async () => {
  const { file } = await world();
  expect(await file.load(1)).toBeUndefined();
  const identity = { nodeId: 1, clusterId: "cluster", directoryId: "" };
  await file.save(identity);
  expect(await file.load(1)).toEqual(identity);
  const voters = [
    { nodeId: 1, host: "::1", port: 9093 },
    { nodeId: 2, host: "b.example", port: 9095 },
  ];
  const member = { ...identity, clusterId: "", directoryId: "disk", generation: 3, voters };
  await file.save(member);
  expect(await file.load(1)).toEqual(member);
});

test("another node's directory is refused with both ids", async () => {
  const { file } = await world();
  await file.save({ nodeId: 1, clusterId: "cluster", directoryId: "" });
  await expect(file.load(2)).rejects.toThrow(
    'Cannot use data directory "/data": it belongs to node 1, and node.id is 2',
  );
});

test("a directory of Apache Kafka is refused", async () => {
  const { disk, file } = await world();
  await disk.files.makeDirectory("/data/__cluster_metadata-0");
  await expect(file.load(1)).rejects.toThrow("Apache Kafka");
});

test.each(["", "node.id=1\n", "cluster.id=c\nnode.id=one\n"])(
  "a file without its facts is refused: %j",
  async (text) => {
    const { write, file } = await world();
    await write(text);
    await expect(file.load(1)).rejects.toThrow("lacks node.id or cluster.id");
  },
);

test("comments and order do not matter", async () => {
  const { write, file } = await world();
  await write("#\n#Mon Jan 01\ncluster.id=c=d\nversion=1\nnode.id=1\n");
  expect(await file.load(1)).toEqual({ nodeId: 1, clusterId: "c=d", directoryId: "" });
});
