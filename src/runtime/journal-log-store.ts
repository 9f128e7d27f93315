import { strict as assert } from "node:assert";
import { type Configuration, decodeConfiguration, encodeConfiguration } from "#raft/core/configuration.ts";
import type { Entry, HardState } from "#raft/core/entry.ts";
import type { StoredEntry } from "#raft/core/raft-log.ts";
import type { Floor } from "#raft/core/ready.ts";
import { type FloorPoint, LogFullError, type LogStore, type ReadRange } from "#raft/host/log-store.ts";
import { isDiskFull } from "#storage/io/file.ts";
import type { JournalFloor, RecoveredGroup } from "#storage/journal/entry.ts";
import type { Journal } from "#storage/journal/journal.ts";
import type { Clock } from "./clock.ts";
import { EntryPlaces, type PlacedEntry } from "./entry-places.ts";

/** Who wants to know how long the disk takes. */
export interface FlushTiming {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly onFlushed: (durationMs: number) => void;
}

/** What the journal kept of a group, in the words of a replication group's start. */
export interface StoredGroup {
  readonly hardState: HardState;
  readonly floor: Floor;
  /** As of the floor; undefined where no floor has moved yet. */
  readonly configuration: Configuration | undefined;
  /** Where data ends at the floor; undefined where no floor has moved yet. */
  readonly floorNextOffset: number | undefined;
  /** Of a replica that has forgotten its log; see `FloorPoint`. */
  readonly rejoinTerm?: number;
  readonly entries: readonly StoredEntry[];
}

/** The journal as the replication groups' log. */
export class JournalLogStore implements LogStore {
  readonly #journal: Journal;
  readonly #timing: FlushTiming;
  readonly #recovered: Map<number, RecoveredGroup>;
  readonly #places = new Map<number, EntryPlaces>();

  constructor(
    journal: Journal,
    { recovered, ...timing }: FlushTiming & { readonly recovered: ReadonlyMap<number, RecoveredGroup> },
  ) {
    this.#journal = journal;
    this.#timing = timing;
    this.#recovered = new Map(recovered);
    for (const [group, { entries }] of recovered) {
      const places = this.#placesOf(group);
      for (const entry of entries) places.restore(entry);
    }
    journal.onDurable((record, fileSequence, framePosition) => {
      // A group that was forgotten meanwhile is not asked for.
      this.#places.get(record.group)?.note(record, fileSequence, framePosition);
    });
  }

  /** What the journal kept of a group; undefined where it knows nothing of it. */
  stored(group: number): StoredGroup | undefined {
    const recovered = this.#recovered.get(group);
    if (!recovered) return undefined;
    const { hardState, floor, entries } = recovered;
    return { hardState, floor, ...decodeFloorState(floor), entries };
  }

  append(group: number, entries: readonly Entry[]): void {
    try {
      this.#journal.append(group, entries);
      this.#placesOf(group);
    } catch (cause) {
      if (isDiskFull(cause)) throw new LogFullError({ cause });
      throw cause;
    }
  }

  setHardState(group: number, state: HardState): void {
    this.#journal.setHardState(group, state);
  }

  advanceFloor(group: number, floor: FloorPoint): void {
    const { index, term } = floor;
    this.#journal.advanceFloor(group, { index, term, state: encodeFloorState(floor) });
    this.#places.get(group)?.releaseThrough(index);
  }

  forget(group: number): void {
    this.#journal.forget(group);
    this.#recovered.delete(group);
    this.#places.delete(group);
  }

  async flush(): Promise<void> {
    const { clock, onFlushed } = this.#timing;
    const startedMs = clock.monotonicMs();
    await this.#journal.flush();
    onFlushed(clock.monotonicMs() - startedMs);
  }

  async read(
    group: number,
    { firstIndex, lastIndex, bytesMax, wantsPayload }: ReadRange,
  ): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    let sizeBytes = 0;
    for (let index = firstIndex; index <= lastIndex; index++) {
      const placed = this.#places.get(group)?.at(index);
      if (!placed) break;
      const { location, ...entry } = placed;
      if (wantsPayload?.(entry) === false) {
        entries.push({ ...entry, payload: noBytes });
        continue;
      }
      sizeBytes += location.sizeBytes;
      if (sizeBytes > bytesMax && entries.length > 0) break;
      const payload = await this.#journal.readPayload(location);
      if (!this.#isStill(group, placed)) break;
      entries.push({ ...entry, payload });
    }
    return entries;
  }

  /** While it was read the entry may have been replaced, and its place as well. */
  #isStill(group: number, { index, location }: PlacedEntry): boolean {
    const now = this.#places.get(group)?.at(index)?.location;
    return now?.fileSequence === location.fileSequence && now.position === location.position;
  }

  #placesOf(group: number): EntryPlaces {
    let places = this.#places.get(group);
    if (!places) {
      places = new EntryPlaces();
      this.#places.set(group, places);
    }
    return places;
  }
}

const noBytes = new Uint8Array(0);

/*
 * What rides with a floor, little-endian:
 *
 * | at | size | field                                                              |
 * |----|------|--------------------------------------------------------------------|
 * | 0  | f64  | next offset                                                        |
 * | 8  | n    | configuration as in its entry                                      |
 * |    | f64  | rejoin term, only of a replica that has forgotten its log          |
 */
function encodeFloorState({ nextOffset, configuration, rejoinTerm }: FloorPoint): Uint8Array {
  const encoded = encodeConfiguration(configuration);
  const state = new Uint8Array(8 + encoded.length + (rejoinTerm === undefined ? 0 : 8));
  const view = new DataView(state.buffer);
  view.setFloat64(0, nextOffset, true);
  state.set(encoded, 8);
  if (rejoinTerm !== undefined) view.setFloat64(8 + encoded.length, rejoinTerm, true);
  return state;
}

function decodeFloorState({
  state,
}: JournalFloor): Pick<StoredGroup, "configuration" | "floorNextOffset" | "rejoinTerm"> {
  if (!state) return { configuration: undefined, floorNextOffset: undefined };
  assert(state.byteLength > 8);
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const configuration = decodeConfiguration(state.subarray(8));
  const rejoinAt = 8 + encodeConfiguration(configuration).length;
  return {
    floorNextOffset: view.getFloat64(0, true),
    configuration,
    ...(rejoinAt < state.byteLength && { rejoinTerm: view.getFloat64(rejoinAt, true) }),
  };
}
