import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";

// Stripping types and compiling take longer than all else at a start, and the stripper keeps 25 MB. The cache
// lies beside the sources and not in the shared temporary directory, where others could plant code.
enableCompileCache(join(import.meta.dirname, "..", ".cache", "compile"));

const { start } = await import("./start.ts");
await start({ args: process.argv.slice(2), program: "npm start --", entry: process.argv.slice(1, 2) });
// Now and not at the end: a broker may be killed.
flushCompileCache();
