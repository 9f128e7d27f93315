import {
  type CrashMode,
  type DiskChange,
  FaultyFileSystem,
  type FaultyFileSystemOptions,
} from "#storage/io/faulty-file.ts";
import type { DiskErrorCode, File, FileSystem } from "#storage/io/file.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** How long calls take, in µs. */
export interface DiskProfile {
  readonly writeUs: number;
  readonly readUs: number;
  /** How often a call takes `slowUs` more. */
  readonly slowChance: number;
  readonly slowUs: number;
}

export interface SimulatedDiskOptions {
  readonly profile: DiskProfile;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** What changes of directories take that are not durable yet, in µs. */
const entryUs = 20;

/** The disk of one host, over all lives of its broker: lazy, slow, and faulty when told to be. */
export class SimulatedDisk {
  /** All times are multiplied by it while the disk is slow. */
  slowness = 1;
  /** What every write takes on top of that while the disk hangs, in µs. */
  stallUs = 0;
  /** The next change of such a path fails so; taken once. */
  nextFailure: { readonly code: DiskErrorCode; readonly pathPart: string } | undefined;
  /** Told when a change has failed so. */
  onFailure: () => void = () => undefined;
  /** How often a read answers with a flipped bit. */
  flipChance = 0;
  /** Runs once, in the middle of the next change of such a path. */
  ambush: { readonly pathPart: string; readonly run: () => void } | undefined;
  /** Changes under way. */
  inFlight = 0;
  readonly #options: SimulatedDiskOptions;
  readonly #faults: FaultyFileSystemOptions;
  #files: FaultyFileSystem;
  #process: SimulatedProcess | undefined;

  constructor(options: SimulatedDiskOptions) {
    this.#options = options;
    this.#faults = {
      settle: (change) => this.#settle(change),
      failChange: (change) => this.#failureOf(change),
      onRead: (_path, _position, bytes) => this.#spoil(bytes),
    };
    this.#files = new FaultyFileSystem(this.#faults);
  }

  /** The disk as a process sees it until it dies. */
  openFor(process: SimulatedProcess): FileSystem {
    this.#process = process;
    this.inFlight = 0;
    return new LatentFileSystem(this.#files, () =>
      this.#wait(this.#durationUs(this.#options.profile.readUs)),
    );
  }

  /** The process is gone, and with it what was not yet durable, or some of it. */
  crash(mode: CrashMode): void {
    this.#files = this.#files.crash({ mode, random: this.#options.random.next }, this.#faults);
  }

  /** Leaves room for so many bytes more than are used. */
  async limit(freeBytes: number | undefined): Promise<void> {
    delete this.#faults.capacityBytes;
    if (freeBytes === undefined) return;
    const used = Number.MAX_SAFE_INTEGER - (await this.#files.freeBytes());
    this.#faults.capacityBytes = used + freeBytes;
  }

  async #settle(change: DiskChange): Promise<void> {
    const isSlow = change.kind === "write" || change.kind === "syncDirectory";
    const stallUs = isSlow ? this.stallUs : 0;
    const afterUs = this.#durationUs(isSlow ? this.#options.profile.writeUs : entryUs) + stallUs;
    if (this.ambush && change.path.includes(this.ambush.pathPart)) this.#spring(this.ambush.run, afterUs);
    this.inFlight += 1;
    await this.#wait(afterUs);
    this.inFlight -= 1;
  }

  #spring(run: () => void, withinUs: number): void {
    this.ambush = undefined;
    const { scheduler, random } = this.#options;
    scheduler.schedule({ afterUs: random.next() * withinUs, process: undefined, label: "ambush" }, run);
  }

  #durationUs(meanUs: number): number {
    const { random, profile } = this.#options;
    const slowUs = random.chance(profile.slowChance) ? random.below(profile.slowUs + 1) : 0;
    return (meanUs / 2 + random.exponential(meanUs / 2) + slowUs) * this.slowness;
  }

  #wait(afterUs: number): Promise<void> {
    return new Promise((resolve) =>
      this.#options.scheduler.schedule({ afterUs, process: this.#process, label: "disk" }, resolve),
    );
  }

  #failureOf({ path }: DiskChange): DiskErrorCode | undefined {
    const { nextFailure } = this;
    if (!nextFailure || !path.includes(nextFailure.pathPart)) return undefined;
    this.nextFailure = undefined;
    this.onFailure();
    return nextFailure.code;
  }

  #spoil(bytes: Uint8Array): DiskErrorCode | undefined {
    const { random } = this.#options;
    if (this.flipChance === 0 || bytes.length === 0 || !random.chance(this.flipChance)) return undefined;
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return undefined;
  }
}

/** Makes reads take time, which the faulty disk answers at once. */
class LatentFileSystem implements FileSystem {
  readonly #files: FileSystem;
  readonly #wait: () => Promise<void>;

  constructor(files: FileSystem, wait: () => Promise<void>) {
    this.#files = files;
    this.#wait = wait;
  }

  async open(path: string, mode: "create" | "existing"): Promise<File> {
    const file = await this.#files.open(path, mode);
    return {
      path,
      write: (position, bytes) => file.write(position, bytes),
      read: async (position, into) => {
        await this.#wait();
        return await file.read(position, into);
      },
      sizeBytes: () => file.sizeBytes(),
      resize: (sizeBytes) => file.resize(sizeBytes),
      close: () => file.close(),
      [Symbol.asyncDispose]: () => file.close(),
    };
  }

  exists(path: string): Promise<boolean> {
    return this.#files.exists(path);
  }

  list(directory: string): Promise<string[]> {
    return this.#files.list(directory);
  }

  makeDirectory(path: string): Promise<void> {
    return this.#files.makeDirectory(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#files.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.#files.remove(path);
  }

  removeDirectory(path: string): Promise<void> {
    return this.#files.removeDirectory(path);
  }

  syncDirectory(path: string): Promise<void> {
    return this.#files.syncDirectory(path);
  }

  freeBytes(path: string): Promise<number> {
    return this.#files.freeBytes(path);
  }

  totalBytes(path: string): Promise<number> {
    return this.#files.totalBytes(path);
  }
}
