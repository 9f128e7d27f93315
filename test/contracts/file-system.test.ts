import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openDirectFileSystem } from "#storage/io/direct-file.ts";
import { FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import { fileSystemContract } from "./file-system.ts";

const made: string[] = [];
afterAll(async () => {
  for (const directory of made) await rm(directory, { recursive: true, force: true });
});

fileSystemContract("the memory file system", async () => {
  const files = new MemoryFileSystem();
  await files.makeDirectory("/data");
  return { files, directory: "/data" };
});

fileSystemContract("the faulty file system without faults", async () => {
  const files = new FaultyFileSystem();
  await files.makeDirectory("/data");
  return { files, directory: "/data" };
});

fileSystemContract("the machine's file system, buffered", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-files-"));
  made.push(directory);
  return { files: await openDirectFileSystem({ probeDirectory: directory, mode: "buffered" }), directory };
});

fileSystemContract("the machine's file system, as probed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-files-"));
  made.push(directory);
  return { files: await openDirectFileSystem({ probeDirectory: directory }), directory };
});
