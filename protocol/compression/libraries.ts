import { createRequire } from "node:module";

/*
 * The codecs' libraries, loaded when the first batch needs one: most brokers see one codec or none, and all of
 * them together take 40 ms of a start and 10 MB.
 */
const load = createRequire(import.meta.url);
let snappyLibrary: typeof import("snappy") | undefined;
let lz4Library: typeof import("lz4-napi") | undefined;

export function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}

export function snappy(): typeof import("snappy") {
  snappyLibrary ??= load("snappy") as typeof import("snappy");
  return snappyLibrary;
}

export function lz4(): typeof import("lz4-napi") {
  lz4Library ??= load("lz4-napi") as typeof import("lz4-napi");
  return lz4Library;
}
