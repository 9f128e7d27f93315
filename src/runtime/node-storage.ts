import { mkdir } from "node:fs/promises";
import type { Logger } from "pino";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { BatchCache, batchOverheadBytes } from "#storage/cache/batch-cache.ts";
import { BufferArena, type NewMemory } from "#storage/io/buffer-arena.ts";
import { openDirectFileSystem } from "#storage/io/direct-file.ts";
import { lockDirectory } from "#storage/io/directory-lock.ts";
import type { FileSystem } from "#storage/io/file.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import type { RecoveredGroup } from "#storage/journal/entry.ts";
import { Journal } from "#storage/journal/journal.ts";
import type { RecoveryReport } from "#storage/journal/replay.ts";
import { DirtyBudget } from "#storage/log/dirty-budget.ts";
import { LogManager } from "#storage/log/log-manager.ts";
import type { Checksum } from "#storage/snapshots/small-file.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import { recordBatchFormat } from "../partitions/batch-format.ts";
import type { Clock } from "./clock.ts";
import type { Identity } from "./identity.ts";

/** A node's disk, opened and recovered. */
export interface NodeStorage extends AsyncDisposable {
  readonly files: FileSystem;
  readonly arena: BufferArena;
  readonly checksum: Checksum;
  readonly journal: Journal;
  readonly logs: LogManager;
  readonly dirty: DirtyBudget;
  readonly cache: BatchCache;
  /** What the journal found when it was opened. */
  readonly report: RecoveryReport;
  /** What the journal kept of each group. */
  readonly recovered: ReadonlyMap<number, RecoveredGroup>;
}

/** What storage takes from the world; without `files` it opens the disk that the config names. */
interface StoragePorts {
  readonly clock: Clock;
  readonly identity: Identity;
  readonly logger: Logger;
  readonly files: FileSystem | undefined;
  readonly newMemory: NewMemory | undefined;
}

/** Aligned memory besides the journal's staging: segment writes, reads and snapshots under way. */
const ioBytesMax = 192 << 20;
/**
 * Calls that segments, indexes and snapshots may have with the disk at once. All calls share the runtime's threads, four
 * unless the process began with more: the journal, which has a file system of its own, must always find one free.
 */
function logCallsMax(threads: number): { readonly reads: number; readonly writes: number } {
  return threads >= 6 ? { reads: 3, writes: 2 } : { reads: 2, writes: 1 };
}
/** Staged journal bytes at which the group commit does not gather any further. */
const stagedBytesMax = 64 << 20;

/** Opens the data directory, or memory in its place. @throws DiskError, JournalCorruptError, LogCorruptError, DirectoryLockedError */
export async function openNodeStorage(
  config: BrokerConfig,
  { clock, identity, logger, files: givenFiles, newMemory }: StoragePorts,
): Promise<NodeStorage> {
  await using stack = new AsyncDisposableStack();
  const directory = config.logDirectory;
  const { files, journalFiles } = givenFiles
    ? { files: givenFiles, journalFiles: givenFiles }
    : await openFiles(config, { identity, logger }, stack);
  const arena = new BufferArena({
    bytesMax: ioBytesMax + 3 * stagedBytesMax,
    ...(newMemory && { newMemory }),
  });
  const checksum: Checksum = crc32c;
  const { journal, groups, report } = await Journal.open({
    files: journalFiles,
    directory: `${directory}/journal`,
    arena,
    checksum,
    random: () => identity.newFraction(),
    fileBytes: config.journalFileBytes,
    filesMax: config.journalFilesMax,
    stagedBytesMax,
    acceptCorruption: config.acceptCorruption,
  });
  stack.use(journal);
  if (report.lost.length > 0 || report.gaps.length > 0) {
    const { lost, gaps } = report;
    logger.error({ lost, gaps }, "the journal is damaged and was accepted as it is");
  }
  if (report.tornTail) logger.warn(report.tornTail, "cut the journal's unfinished last write");

  const dirty = new DirtyBudget(config.dirtyBytesMax);
  const cache = new BatchCache(config.cacheBytes, { batchOverheadBytes });
  const logs = await LogManager.open({
    files,
    directory,
    arena,
    checksum,
    format: recordBatchFormat,
    cache,
    dirty,
    nowMs: () => clock.nowMs(),
    acceptCorruption: config.acceptCorruption,
  });
  stack.use(logs);
  const owned = stack.move();
  return {
    files,
    arena,
    checksum,
    journal,
    logs,
    dirty,
    cache,
    report,
    recovered: groups,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openFiles(
  config: BrokerConfig,
  { identity, logger }: { identity: Identity; logger: Logger },
  stack: AsyncDisposableStack,
): Promise<{ files: FileSystem; journalFiles: FileSystem }> {
  if (config.storage === "memory") {
    const files = new MemoryFileSystem();
    await files.makeDirectory(config.logDirectory);
    return { files, journalFiles: files };
  }
  await mkdir(config.logDirectory, { recursive: true });
  const nonce = identity.newMemberSuffix();
  stack.use(await lockDirectory({ directory: config.logDirectory, processId: process.pid, nonce }));
  const { reads, writes } = logCallsMax(Number(process.env.UV_THREADPOOL_SIZE ?? 4));
  const files = await openDirectFileSystem({
    probeDirectory: config.logDirectory,
    readsInFlightMax: reads,
    writesInFlightMax: writes,
  });
  logger.info(
    { directory: config.logDirectory, mode: files.mode },
    files.mode === "direct"
      ? "disk writes are direct"
      : "disk writes are buffered and synced: direct I/O is refused here",
  );
  return { files, journalFiles: await openDirectFileSystem({ probeDirectory: config.logDirectory }) };
}
