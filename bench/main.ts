/*
 * Runs benches by name: `npm run bench` for all, `npm run bench -- journal codecs` for some.
 * Absolute figures are one machine's on one day; the ratios within one run are what counts.
 */

const benches: Readonly<Record<string, () => Promise<{ run(): Promise<void> }>>> = {
  crc32c: () => import("./micro/crc32c.ts"),
  records: () => import("./micro/records.ts"),
  codecs: () => import("./micro/codecs.ts"),
  transport: () => import("./micro/transport.ts"),
  cache: () => import("./micro/batch-cache.ts"),
  journal: () => import("./journal.ts"),
  log: () => import("./log.ts"),
  produce: () => import("./produce.ts"),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in benches));
if (unknown.length > 0) {
  process.stderr.write(
    `bench: unknown "${unknown.join('", "')}"; there are ${Object.keys(benches).join(", ")}\n`,
  );
  process.exitCode = 2;
} else {
  for (const [name, load] of Object.entries(benches)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stdout.write(`\n== ${name} ==\n`);
    const bench = await load();
    await bench.run();
  }
}
