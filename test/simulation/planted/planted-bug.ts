import type { FileSystem } from "#storage/io/file.ts";

/** A mistake that a broker could have, for the simulator to find. Production code knows nothing of these. */
export interface PlantedBug {
  /** What the broker does, in a few words: its name on the command line too. */
  readonly name: string;
  /** The trap that it falls into. */
  readonly trap: string;
  /** Between the broker and its disk. */
  readonly wrapFiles?: (files: FileSystem) => FileSystem;
  /** Inside the broker: replaces methods of its classes until disposed. */
  readonly plant?: () => Disposable;
}
