import * as fc from "fast-check";
import type { Compression } from "#protocol/compression/compression.ts";
import { encodeRequestFrame } from "#protocol/frame.ts";
import { batchHeaderBytes, sealBatch } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import type { Api } from "#protocol/schema/api.ts";
import { routes } from "#src/handlers/routes.ts";
import { plausibleRequest, type Surroundings } from "../unit/src/handlers/plausible-requests.ts";
import { Random } from "./random.ts";

/** Every API and version that the broker advertises and serves. */
export const served: readonly { readonly api: Api; readonly version: number }[] = [
  ...routes.values(),
].flatMap(({ api, advertised: [, max] }) => {
  const [min] = api.versions;
  return Array.from({ length: max - min + 1 }, (_, at) => ({ api, version: min + at }));
});

/** Valid frames of every API and version, so many of each, about what there is on the broker. */
export function validFrames(
  existing: Omit<Surroundings, "batch">,
  { seed, perVersion }: { seed: number; perVersion: number },
): Uint8Array[] {
  const random = new Random(seed);
  return served.flatMap(({ api, version }) => {
    const surroundings = { ...existing, batch: someBatch(random) };
    const requests = fc.sample(plausibleRequest(api, version, surroundings), {
      seed: random.below(2 ** 31),
      numRuns: perVersion,
    });
    return requests.map((request) => {
      const clientId = random.below(8) === 0 ? null : "fuzz";
      return encodeRequestFrame(request, { api, version, correlationId: fuzzCorrelationId, clientId });
    });
  });
}

/** What every frame goes out with, unless a mutation changes it. */
export const fuzzCorrelationId = 0x0f0f;

const codecs: readonly Compression[] = ["none", "gzip", "snappy", "lz4", "zstd"];

/** A batch with a checksum that fits, sometimes spoilt below it: what a checksum does not protect from. */
function someBatch(random: Random): Uint8Array {
  const records = Array.from({ length: 1 + random.below(5) }, (_, index) => ({
    timestampMs: random.below(3) === 0 ? index : 1_700_000_000_000 + index,
    key: random.below(2) === 0 ? null : random.bytes(random.below(10)),
    value: random.below(5) === 0 ? null : random.bytes(random.below(60)),
  }));
  const batch = Buffer.from(buildBatch({ compression: random.pick(codecs), records }));
  if (random.below(2) === 0) return batch;
  // From the attributes on, so that length, magic and checksum stay as they are.
  const from = random.below(2) === 0 ? 21 : batchHeaderBytes;
  for (let count = 1 + random.below(3); count > 0; count--) {
    batch.writeUInt8(random.below(256), from + random.below(Math.max(1, batch.length - from)));
  }
  sealBatch(batch, 0, batch.length);
  return batch;
}
