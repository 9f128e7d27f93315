import { crc32c as native } from "@node-rs/crc32";
import { Bench } from "tinybench";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { crc32cByTable } from "#protocol/bytes/crc32c-table.ts";

/** CRC-32C implementations against each other by input size, in GB/s. */
export async function run(): Promise<void> {
  const rows: Record<string, Record<string, string>> = {};
  for (const sizeBytes of [16, 32, 64, 256, 4096, 65_536, 1_048_576]) {
    const bytes = Buffer.alloc(sizeBytes).map((_, index) => (index * 31) & 255);
    const bench = new Bench({ time: 150, warmupTime: 50 });
    bench.add("chosen", () => void crc32c(bytes));
    bench.add("native", () => void native(bytes));
    bench.add("table", () => void crc32cByTable(bytes));
    await bench.run();
    rows[`${sizeBytes} bytes`] = Object.fromEntries(
      bench.tasks.map((task) => {
        const perSecond = task.result.state === "completed" ? task.result.throughput.mean : 0;
        return [task.name, `${((perSecond * sizeBytes) / 1e9).toFixed(2)} GB/s`];
      }),
    );
  }
  console.table(rows);
}
