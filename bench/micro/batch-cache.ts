import { BatchCache, batchOverheadBytes, type LogCache } from "#storage/cache/batch-cache.ts";

const mebibyte = 1 << 20;
const cacheBytes = 64 * mebibyte;
const batchBytes = 1_094;
const puts = 100_000;

/** Batches come in slabs of this size, as a connection's requests do. */
class Sender {
  #slab = new ArrayBuffer(mebibyte);
  #position = 0;

  next(): Uint8Array {
    if (this.#position + batchBytes > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(mebibyte);
      this.#position = 0;
    }
    const bytes = new Uint8Array(this.#slab, this.#position, batchBytes);
    this.#position += batchBytes;
    return bytes;
  }
}

/** What it takes to put a batch of one record into a cache that is full, by senders in turn and by logs. */
export function run(): Promise<void> {
  const rows: Record<string, Record<string, string>> = {};
  for (const logs of [1, 100]) {
    for (const senders of [1, 4, 20]) {
      rows[`${logs} logs, ${senders} senders`] = { "µs for each batch": fillOn({ logs, senders }) };
    }
  }
  rows["a reader of old batches"] = { "µs for each batch": readBehind() };
  console.table(rows);
  return Promise.resolve();
}

function fillOn(shape: { logs: number; senders: number }): string {
  const cache = newCache();
  const logs = Array.from({ length: shape.logs }, () => ({ cache: cache.forLog(), nextOffset: 0 }));
  const senders = Array.from({ length: shape.senders }, () => new Sender());
  const put = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const log = logs[i % logs.length];
      const bytes = senders[i % senders.length]?.next();
      if (!log || !bytes) return;
      log.cache.put({ bytes, baseOffset: log.nextOffset, nextOffset: log.nextOffset + 1 });
      log.nextOffset += 1;
    }
  };
  put(2 * Math.ceil(cacheBytes / batchBytes));
  return microseconds(() => put(puts), puts);
}

/** The cache is full of the newest batches; a reader puts older ones in front of them, and pushes out others. */
function readBehind(): string {
  const log: LogCache = newCache().forLog();
  const writer = new Sender();
  const count = Math.ceil(cacheBytes / batchBytes);
  for (let i = 0; i < count; i++) {
    log.put({ bytes: writer.next(), baseOffset: puts + i, nextOffset: puts + i + 1 });
  }
  const reader = new Sender();
  const reads = puts / 10;
  return microseconds(() => {
    for (let i = 0; i < reads; i++) log.put({ bytes: reader.next(), baseOffset: i, nextOffset: i + 1 });
  }, reads);
}

function newCache(): BatchCache {
  return new BatchCache(cacheBytes, { batchOverheadBytes });
}

function microseconds(work: () => void, count: number): string {
  const startedMs = performance.now();
  work();
  return (((performance.now() - startedMs) * 1_000) / count).toFixed(2);
}
