/*
 * What `npm start` runs. JavaScript, the only piece of it: the entry itself cannot come from the cache that it
 * sets up, and stripping the types of a single file loads the stripper, 10 MB and 40 ms.
 */

import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Before anything uses the pool: with Node's four threads, segments may not write two at a time (node-storage.ts).
process.env.UV_THREADPOOL_SIZE ??= "6";
enableCompileCache(join(import.meta.dirname, "..", ".cache", "compile"));

await import("./main.ts");
