import { DiskError, type DiskErrorCode } from "./file.ts";

const codes: Readonly<Record<string, DiskErrorCode>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EFBIG: "full",
  ENOENT: "missing",
  ENOTDIR: "missing",
  EEXIST: "exists",
  EISDIR: "exists",
  ENOTEMPTY: "exists",
  EACCES: "permission",
  EPERM: "permission",
  EROFS: "permission",
  EBUSY: "busy",
  EAGAIN: "busy",
  EMFILE: "busy",
  ENFILE: "busy",
};

/** Puts a system error into storage's words; what is not known by name is the disk's failure: "io". */
export function diskError(action: string, path: string, cause: unknown): DiskError {
  const code = systemCode(cause);
  const state = cause instanceof Error ? cause.message : String(cause);
  return new DiskError(codes[code ?? ""] ?? "io", `Cannot ${action} "${path}": ${state}`, { cause });
}

/** The errno name of a system error, if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
