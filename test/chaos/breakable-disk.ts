import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, join } from "node:path";

/** A small ext4 of its own in a file, which can be filled up and made to fail. Mounting takes root. */
export class BreakableDisk implements AsyncDisposable {
  /** Where a node's data goes. */
  readonly path: string;
  readonly #image: string;
  readonly #ballast: string;

  /** Makes it under `directory`. @throws Error where that is not possible here */
  static mount(directory: string, sizeMib: number): BreakableDisk {
    const disk = new BreakableDisk(directory);
    mkdirSync(disk.path, { recursive: true });
    writeFileSync(disk.#image, "");
    truncateSync(disk.#image, sizeMib << 20);
    run("mkfs.ext4", ["-q", "-F", "-m", "0", disk.#image]);
    disk.#mount();
    return disk;
  }

  private constructor(directory: string) {
    this.path = join(directory, "disk");
    this.#image = join(directory, "disk.image");
    this.#ballast = join(this.path, "ballast");
  }

  /** Whether the disk can be made to fail, as a disk does that reports an error. */
  get canBreak(): boolean {
    return existsSync(this.#trigger());
  }

  /** Leaves no byte to write. */
  async fill(): Promise<void> {
    const file = await open(this.#ballast, "w");
    try {
      for (const bytes of [1 << 20, 4_096]) {
        const zeros = Buffer.alloc(bytes);
        while (await isWritten(file.write(zeros)));
      }
    } finally {
      await file.close();
    }
  }

  /** Gives back what `fill` took. */
  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** From now on nothing can be written: the file system has met an error and makes itself read-only. */
  break(): void {
    writeFileSync(this.#trigger(), "1");
  }

  /** Mounts it anew; nobody may have a file open. */
  repair(): void {
    run("umount", [this.path]);
    this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    run("umount", [this.path]);
    rmSync(this.#image, { force: true });
  }

  #mount(): void {
    run("mount", ["-o", "loop,errors=remount-ro", this.#image, this.path]);
  }

  #trigger(): string {
    const device = basename(run("findmnt", ["-no", "SOURCE", this.path]).trim());
    return `/sys/fs/ext4/${device}/trigger_fs_error`;
  }
}

async function isWritten(write: Promise<unknown>): Promise<boolean> {
  return await write.then(
    () => true,
    () => false,
  );
}

function run(command: string, arguments_: readonly string[]): string {
  return execFileSync(command, arguments_, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
}
