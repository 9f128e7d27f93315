/**
 * The journal against the disk: flushes per second, beside a plain loop of equally large aligned durable writes
 * into equally large preallocated files, and beside fio where it is installed.
 */

import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32c } from "@node-rs/crc32";
import { alignUp } from "#storage/io/alignment.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { type DirectFileSystem, openDirectFileSystem } from "#storage/io/direct-file.ts";
import type { File } from "#storage/io/file.ts";
import type { JournalEntry } from "#storage/journal/entry.ts";
import { frameHeaderBytes } from "#storage/journal/frame.ts";
import { Journal } from "#storage/journal/journal.ts";
import { recordBytes } from "#storage/journal/record.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const fileBytes = 64 * mebibyte;

const groupCounts = [1, 64, 1000];
const flushSizes = [4 * kibibyte, 64 * kibibyte, mebibyte];

/** Each side is measured in turns, so that a noisy neighbour hits both. */
const turns = 3;
const turnMs = 400;

const workDirectory = join(import.meta.dirname, "..", ".cache", "bench-journal");

interface Bench {
  readonly files: DirectFileSystem;
  readonly arena: BufferArena;
}

/** Prints the table; takes about half a minute and 400 MiB of disk. */
export async function run(): Promise<void> {
  await rm(workDirectory, { recursive: true, force: true });
  await mkdir(workDirectory, { recursive: true });
  try {
    const files = await openDirectFileSystem({ probeDirectory: workDirectory });
    const bench = { files, arena: new BufferArena({ bytesMax: 128 * mebibyte }) };
    console.log(`journal against the disk (${files.mode} writes), flushes per second`);
    console.log("| groups | on disk | MB/s | journal | plain writes | ratio | p50 ms | p99 ms | fio |");
    console.log("|---|---|---|---|---|---|---|---|---|");
    const fioRates = new Map<number, string>();
    for (const groups of groupCounts) {
      for (const flushBytes of flushSizes)
        console.log(await measureRow(bench, { groups, flushBytes, fioRates }));
    }
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

async function measureRow(
  { files, arena }: Bench,
  { groups, flushBytes, fioRates }: { groups: number; flushBytes: number; fioRates: Map<number, string> },
): Promise<string> {
  // Payloads such that the frame comes to the wanted size, as far as the records' own headers leave room.
  const payloadBytes = Math.max(16, Math.floor((flushBytes - frameHeaderBytes) / groups) - recordBytes.entry);
  const frameBytes = alignUp(frameHeaderBytes + groups * (recordBytes.entry + payloadBytes));
  const plain = await PlainWriter.open(files, arena, frameBytes);
  const directory = join(workDirectory, "journal");
  const { journal } = await Journal.open({
    files,
    directory,
    arena,
    checksum: (bytes, seed) => crc32c(bytes, seed),
    random: Math.random,
    fileBytes,
  });
  const writer = new JournalWriter(journal, { groups, payloadBytes });
  // Two and a half files, after which the journal turns over recycled ones.
  for (let written = 0; written < 2.5 * fileBytes; written += 4 * mebibyte) await writer.warm(4 * mebibyte);

  const journalTimes: number[] = [];
  const plainTimes: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    await repeat(plainTimes, () => plain.write());
    await repeat(journalTimes, () => writer.flush());
  }
  await journal.close();
  await plain.close();
  await files.removeDirectory(directory);
  if (!fioRates.has(frameBytes)) fioRates.set(frameBytes, await fioRate(frameBytes));

  const journalRate = rateOf(journalTimes);
  const sorted = journalTimes.toSorted((a, b) => a - b);
  const quantile = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2);
  return `| ${[
    groups,
    `${frameBytes / kibibyte} KiB`,
    Math.round((journalRate * frameBytes) / 1e6),
    Math.round(journalRate),
    Math.round(rateOf(plainTimes)),
    (journalRate / rateOf(plainTimes)).toFixed(2),
    quantile(0.5),
    quantile(0.99),
    fioRates.get(frameBytes),
  ].join(" | ")} |`;
}

/** What the journal does at its core and nothing else: sequential aligned writes over preallocated blocks. */
class PlainWriter {
  readonly #file: File;
  readonly #bytes: Uint8Array;
  readonly #arena: BufferArena;
  #position = 0;

  private constructor(file: File, bytes: Uint8Array, arena: BufferArena) {
    this.#file = file;
    this.#bytes = bytes;
    this.#arena = arena;
  }

  static async open(files: DirectFileSystem, arena: BufferArena, sizeBytes: number): Promise<PlainWriter> {
    const file = await files.open(join(workDirectory, "plain"), "create");
    const zeros = arena.allocate(mebibyte).fill(0);
    for (let at = 0; at < fileBytes; at += mebibyte) await file.write(at, zeros);
    arena.release(zeros);
    return new PlainWriter(file, arena.allocate(sizeBytes).fill(1), arena);
  }

  async write(): Promise<void> {
    if (this.#position + this.#bytes.byteLength > fileBytes) this.#position = 0;
    await this.#file.write(this.#position, this.#bytes);
    this.#position += this.#bytes.byteLength;
  }

  async close(): Promise<void> {
    await this.#file.close();
    this.#arena.release(this.#bytes);
    await rm(this.#file.path);
  }
}

/** A pass of a host: one entry for each group, then a flush; floors follow so that files come free. */
class JournalWriter {
  readonly #journal: Journal;
  readonly #groups: number;
  readonly #payload: Uint8Array;
  #index = 0;
  #bytesSinceFloor = 0;

  constructor(journal: Journal, { groups, payloadBytes }: { groups: number; payloadBytes: number }) {
    this.#journal = journal;
    this.#groups = groups;
    this.#payload = new Uint8Array(payloadBytes).fill(7);
  }

  /** Fills up with passes to at least `sizeBytes` and flushes. */
  async warm(sizeBytes: number): Promise<void> {
    while (this.#journal.stagedBytes < sizeBytes) this.#stagePass();
    await this.#journal.flush();
  }

  /** Flushes one pass, while the next is staged as in a broker under load. */
  async flush(): Promise<void> {
    if (this.#journal.stagedBytes === 0) this.#stagePass();
    const flushing = this.#journal.flush();
    this.#stagePass();
    await flushing;
  }

  #stagePass(): void {
    this.#index++;
    for (let group = 0; group < this.#groups; group++) this.#journal.append(group, [this.#entry()]);
    this.#bytesSinceFloor += this.#groups * (recordBytes.entry + this.#payload.byteLength);
    if (this.#bytesSinceFloor > fileBytes / 4) this.#advanceFloors();
  }

  #advanceFloors(): void {
    this.#bytesSinceFloor = 0;
    for (let group = 0; group < this.#groups; group++) {
      this.#journal.advanceFloor(group, { index: this.#index - 1, term: 1 });
    }
  }

  #entry(): JournalEntry {
    return {
      index: this.#index,
      term: 1,
      kind: "data",
      baseOffset: this.#index,
      offsetCount: 1,
      payload: this.#payload,
    };
  }
}

async function repeat(timesMs: number[], once: () => Promise<void>): Promise<void> {
  const end = performance.now() + turnMs;
  for (let start = performance.now(); start < end; ) {
    await once();
    const now = performance.now();
    timesMs.push(now - start);
    start = now;
  }
}

function rateOf(timesMs: readonly number[]): number {
  return (timesMs.length * 1000) / timesMs.reduce((sum, time) => sum + time, 0);
}

/** Writes per second of fio's own synchronous loop over a file of the same size; "-" where there is no fio. */
async function fioRate(sizeBytes: number): Promise<string> {
  const target = join(workDirectory, "fio");
  const options = {
    name: "plain",
    filename: target,
    rw: "write",
    bs: sizeBytes,
    size: fileBytes,
    direct: 1,
    sync: "dsync",
    overwrite: 1,
    time_based: 1,
    runtime: 1,
    "output-format": "json",
  };
  try {
    const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const { stdout } = await promisify(execFile)("fio", flags);
    const report: { jobs: { write: { iops: number } }[] } = JSON.parse(stdout);
    return String(Math.round(report.jobs[0]?.write.iops ?? 0));
  } catch {
    return "-";
  } finally {
    await rm(target, { force: true });
  }
}

if (import.meta.main) await run();
