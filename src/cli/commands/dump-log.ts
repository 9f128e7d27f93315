import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { sequenceOf } from "#storage/journal/journal-file.ts";
import type { Arguments } from "../arguments.ts";
import { type DumpItem, describeItem } from "../dump/dump-item.ts";
import { FileBytes } from "../dump/file-bytes.ts";
import { dumpOffsetIndex, dumpTimeIndex } from "../dump/index-file.ts";
import { dumpJournal } from "../dump/journal-dump.ts";
import { dumpSegment } from "../dump/segment-file.ts";
import { CommandError, type ExitCode, exitCodes } from "../failure.ts";
import { Progress } from "../progress.ts";
import { countOf, formatBytes } from "../quantities.ts";
import { styled } from "../style.ts";
import type { World } from "../world.ts";

type Dump = (file: FileBytes, options: { showsRecords: boolean }) => AsyncGenerator<DumpItem>;

/** Lines that are gathered before they are written. */
const outputBytesMin = 1 << 16;

/** `millrace dump-log`. */
export async function dumpLog(given: Arguments, world: World): Promise<ExitCode> {
  const files = await findFiles(given.words);
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  using progress = new Progress(world, "item");
  const printer = new Printer(given, world);
  let doneBytes = 0;
  let isDamaged = false;
  for (const { path, dump, sizeBytes } of files) {
    await using file = await FileBytes.open(path);
    const tally = new Tally(path, file.sizeBytes);
    await printer.begin(path);
    for await (const item of dump(file, { showsRecords: given.has("records") })) {
      tally.add(item);
      await printer.item(item);
      if (printer.isSilent) {
        const share = totalBytes && (doneBytes + tally.position) / totalBytes;
        progress.show(() => ({ count: printer.itemCount, sizeBytes: doneBytes + tally.position, share }));
      }
    }
    progress.clear();
    await printer.end(tally);
    doneBytes += sizeBytes;
    isDamaged ||= tally.damageCount > 0;
  }
  await printer.flush();
  return isDamaged ? exitCodes.failed : exitCodes.ok;
}

/** The readable files among what was named, directories with all that is below them. @throws CommandError */
async function findFiles(
  paths: readonly string[],
): Promise<readonly { readonly path: string; readonly dump: Dump; readonly sizeBytes: number }[]> {
  const found: { path: string; dump: Dump; sizeBytes: number }[] = [];
  for (const path of paths) {
    const named = await stat(path).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CommandError(`Cannot read "${path}": ${reason}`, { cause });
    });
    if (!named.isDirectory()) {
      const dump = dumpOf(path);
      if (!dump) {
        throw new CommandError(`Cannot read "${path}": it is no segment, index or journal file by its name`, {
          hint: "Such files end in .log, .index or .timeindex",
        });
      }
      found.push({ path, dump, sizeBytes: named.size });
      continue;
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const inside = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const one of inside) {
      const dump = dumpOf(one);
      if (dump) found.push({ path: one, dump, sizeBytes: (await stat(one)).size });
    }
  }
  if (found.length === 0) {
    throw new CommandError(`Cannot find anything to show in ${paths.map((path) => `"${path}"`).join(", ")}`, {
      hint: "Name a partition's directory, the journal's, or the whole of log.dirs",
    });
  }
  return found;
}

function dumpOf(path: string): Dump | undefined {
  const name = basename(path);
  if (sequenceOf(name) !== undefined) return dumpJournal;
  if (/^\d{20}\.log$/.test(name)) return dumpSegment;
  if (/^\d{20}\.index$/.test(name)) return dumpOffsetIndex;
  return /^\d{20}\.timeindex$/.test(name) ? dumpTimeIndex : undefined;
}

/** What a file comes to. */
class Tally {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #counts = new Map<DumpItem["kind"], number>();
  #recordCount = 0;
  #firstOffset: number | undefined;
  #lastOffset = -1;
  position = 0;

  constructor(path: string, sizeBytes: number) {
    this.path = path;
    this.sizeBytes = sizeBytes;
  }

  get damageCount(): number {
    return this.#counts.get("damage") ?? 0;
  }

  add(item: DumpItem): void {
    this.#counts.set(item.kind, (this.#counts.get(item.kind) ?? 0) + 1);
    if (item.kind === "batch" || item.kind === "frame") {
      this.position = item.position;
      this.#recordCount += item.recordCount;
    }
    if (item.kind !== "batch") return;
    this.#firstOffset ??= item.baseOffset;
    this.#lastOffset = item.lastOffset;
  }

  toJson(): object {
    const counts = Object.fromEntries(this.#counts);
    return {
      kind: "file",
      path: this.path,
      sizeBytes: this.sizeBytes,
      recordCount: this.#recordCount,
      counts,
    };
  }

  toText(hasColour: boolean): string {
    const contents = (["batch", "frame", "indexEntry", "timeIndexEntry"] as const)
      .filter((kind) => this.#counts.has(kind))
      .map((kind) =>
        countOf(this.#counts.get(kind) ?? 0, kind === "batch" || kind === "frame" ? kind : "entry"),
      );
    const parts = [
      ...(contents.length > 0 ? contents : ["empty"]),
      ...(this.#recordCount > 0 ? [countOf(this.#recordCount, "record")] : []),
      ...(this.#firstOffset === undefined ? [] : [`offsets ${this.#firstOffset} to ${this.#lastOffset}`]),
      formatBytes(this.sizeBytes),
    ];
    const state =
      this.damageCount > 0
        ? styled(`DAMAGED in ${countOf(this.damageCount, "place")}`, "red", hasColour)
        : styled("intact", "green", hasColour);
    return `${this.path}: ${parts.join(", ")}, ${state}`;
  }
}

/** Writes items as they come: lines for people, or lines of JSON. */
class Printer {
  readonly isSilent: boolean;
  readonly #isJson: boolean;
  readonly #world: World;
  #pending = "";
  #itemCount = 0;

  constructor(given: Arguments, world: World) {
    this.isSilent = given.has("quiet");
    this.#isJson = given.has("json");
    this.#world = world;
  }

  get itemCount(): number {
    return this.#itemCount;
  }

  async begin(path: string): Promise<void> {
    if (this.isSilent || this.#isJson) return;
    await this.#print(styled(path, "bold", this.#world.terminal.hasColour));
  }

  async item(item: DumpItem): Promise<void> {
    this.#itemCount++;
    if (this.isSilent && item.kind !== "damage") return;
    if (this.#isJson) await this.#print(item.kind === "record" ? item.text : JSON.stringify(item));
    else await this.#print(this.#colour(item));
  }

  async end(tally: Tally): Promise<void> {
    await this.#print(
      this.#isJson ? JSON.stringify(tally.toJson()) : tally.toText(this.#world.terminal.hasColour),
    );
    if (this.isSilent) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#pending !== "") await this.#world.terminal.write(this.#pending);
    this.#pending = "";
  }

  #colour(item: DumpItem): string {
    const style = item.kind === "damage" ? "red" : item.kind === "unused" ? "dim" : undefined;
    return styled(describeItem(item), style, this.#world.terminal.hasColour);
  }

  async #print(line: string): Promise<void> {
    this.#pending += `${line}\n`;
    if (this.#pending.length >= outputBytesMin) await this.flush();
  }
}
