import { DiskError } from "#storage/io/file.ts";

/** The one disk error that time can mend: nothing was written, and a later try may succeed. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskError && error.code === "full";
}

/** Nothing is known of what is on the disk any more: whoever trusts it must end. */
export function isDiskBroken(error: unknown): boolean {
  return error instanceof DiskError && error.code === "io";
}
