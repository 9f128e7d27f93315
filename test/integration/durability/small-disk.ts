import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryDirectory, temporaryDirectory } from "../temporary-directory.ts";

/** A file system of its own size, gone when disposed. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
}

export type SmallDiskKind = "tmpfs" | "ext4";

/** Mounts an empty file system of so many MiB. @throws Error where mounting is not permitted */
export async function mountSmallDisk(kind: SmallDiskKind, sizeMib: number): Promise<SmallDisk> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, "disk");
  mkdirSync(path);
  try {
    mount(kind, { directory, path, sizeMib });
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      run("umount", [path]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Why no such file system can be mounted here; undefined where it can. */
export async function whyNoSmallDisk(kind: SmallDiskKind): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "mounting takes root";
  try {
    const disk = await mountSmallDisk(kind, 16);
    await disk[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function mount(
  kind: SmallDiskKind,
  { directory, path, sizeMib }: { directory: TemporaryDirectory; path: string; sizeMib: number },
): void {
  if (kind === "tmpfs") {
    run("mount", ["-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", path]);
    return;
  }
  const image = join(directory.path, "image");
  writeFileSync(image, "");
  truncateSync(image, sizeMib << 20);
  run("mkfs.ext4", ["-q", "-F", "-m", "0", image]);
  run("mount", ["-o", "loop", image, path]);
  rmSync(join(path, "lost+found"), { recursive: true, force: true });
}

function run(command: string, arguments_: readonly string[]): void {
  execFileSync(command, arguments_, { stdio: ["ignore", "ignore", "pipe"] });
}
