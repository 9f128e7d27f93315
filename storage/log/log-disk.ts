import type { AlignedMemory } from "../io/aligned-loan.ts";
import type { FileSystem } from "../io/file.ts";
import type { Checksum } from "../snapshots/small-file.ts";
import type { BatchFormat } from "./batch-format.ts";
import type { OpenFiles } from "./open-files.ts";

/** What everything that touches a log's files is given. */
export interface LogDisk {
  readonly files: FileSystem;
  readonly openFiles: OpenFiles;
  readonly arena: AlignedMemory;
  readonly format: BatchFormat;
  readonly checksum: Checksum;
}
