import { expect, test } from "vitest";
import { FaultyFileSystem } from "#storage/io/faulty-file.ts";
import type { File, FileSystem } from "#storage/io/file.ts";
import { OpenFiles } from "#storage/log/open-files.ts";

/** A file system that counts what is open. */
async function counted(names: readonly string[]) {
  const files = new FaultyFileSystem();
  await files.makeDirectory("/data");
  for (const name of names) await files.open(name, "create");
  const open = new Map<string, number>();
  const count = (path: string, by: number) => open.set(path, (open.get(path) ?? 0) + by);
  const counting: Pick<FileSystem, "open"> = {
    async open(path, mode): Promise<File> {
      const file = await files.open(path, mode);
      count(path, 1);
      const close = async () => void count(path, -1);
      return {
        path,
        write: (position, bytes) => file.write(position, bytes),
        read: (position, into) => file.read(position, into),
        sizeBytes: () => file.sizeBytes(),
        resize: (sizeBytes) => file.resize(sizeBytes),
        close,
        [Symbol.asyncDispose]: close,
      };
    },
  };
  return { files: Object.assign(Object.create(files) as FileSystem, counting), open };
}

const names = ["/data/a", "/data/b", "/data/c"];
const nothing = async () => undefined;

test("a file is opened once for all its users, and stays open", async () => {
  const { files, open } = await counted(names);
  const pool = new OpenFiles(files, 10);
  await Promise.all([pool.use("/data/a", "existing", nothing), pool.use("/data/a", "existing", nothing)]);
  await pool.use("/data/a", "existing", nothing);
  expect(open.get("/data/a")).toBe(1);
});

test("the file that was used least recently is closed when there are too many", async () => {
  const { files, open } = await counted(names);
  const pool = new OpenFiles(files, 2);
  for (const name of ["/data/a", "/data/b", "/data/a", "/data/c"]) await pool.use(name, "existing", nothing);
  expect([...open.values()]).toEqual([1, 0, 1]);
  expect(pool.openCount).toBe(2);
});

test("a file in use is closed by its last user only", async () => {
  const { files, open } = await counted(names);
  const pool = new OpenFiles(files, 10);
  await pool.use("/data/a", "existing", async () => {
    await pool.forget("/data/a");
    expect(open.get("/data/a")).toBe(1);
  });
  expect(open.get("/data/a")).toBe(0);
});

test("a file that could not be opened is tried again by the next user", async () => {
  const { files } = await counted([]);
  const pool = new OpenFiles(files, 10);
  await expect(pool.use("/data/a", "existing", nothing)).rejects.toMatchObject({ code: "missing" });
  await pool.use("/data/a", "create", nothing);
  await pool.use("/data/a", "existing", nothing);
});
