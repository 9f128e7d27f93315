import type { ClusterClient, TopicPartition } from "./cluster-client.ts";
import { earliest, Fetcher, latest } from "./fetcher.ts";
import type { Trims } from "./trims.ts";

/** The process under which the last reading of everything stands in the history. */
export const finalReaderName = "final";

const bounds = { maxWaitMs: 0, minBytes: 0, maxBytes: 16 << 20, partitionMaxBytes: 4 << 20 };

/** Reads every partition from its start to its end, once all is quiet. Where records expire, it begins where they do. */
export async function readEverything(
  client: ClusterClient,
  partitions: readonly TopicPartition[],
  { trims, mayExpire }: { readonly trims: Trims; readonly mayExpire: (topic: string) => boolean },
): Promise<void> {
  const never = () => false;
  for (const place of partitions) {
    const fetcher = new Fetcher(client, { process: finalReaderName, bounds, trims });
    const offsetOf = (timestamp: number) => client.persist(() => fetcher.offsetOf(place, timestamp), never);
    const start = (await offsetOf(earliest)) ?? 0;
    const end = (await offsetOf(latest)) ?? 0;
    fetcher.assign([{ ...place, position: start }], "assign");
    for (;;) {
      // At least once, so that an empty log counts as read.
      await client.persist(() => fetcher.poll(), never);
      if ((fetcher.places[0]?.position ?? end) >= end) break;
    }
    if (mayExpire(place.topic)) {
      // Records go while they are read, too.
      const offset = (await offsetOf(earliest)) ?? 0;
      const trim = { kind: "trim", key: `${place.topic}-${place.partition}`, offset } as const;
      client.options.recorder.invoke("retention", [trim]).complete("ok", [trim]);
    }
  }
}
