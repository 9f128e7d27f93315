import assert from "node:assert/strict";
import { crc32c } from "@node-rs/crc32";
import type { JournalEntry, JournalFloor, JournalHardState, RecoveredGroup } from "#storage/journal/entry.ts";
import type { Journal } from "#storage/journal/journal.ts";

/** A record as the journal takes it in. */
export type ModelRecord =
  | { kind: "entry"; group: number; entry: JournalEntry }
  | { kind: "hardState"; group: number; state: JournalHardState }
  | { kind: "floor"; group: number; floor: JournalFloor }
  | { kind: "forget"; group: number };

interface ModelGroup {
  hardState: JournalHardState;
  floor: JournalFloor;
  entries: JournalEntry[];
}

/** The simplest thing that a journal can be: a list of records, and what they come to. */
export class JournalModel {
  readonly groups = new Map<number, ModelGroup>();

  apply(record: ModelRecord): void {
    if (record.kind === "forget") {
      this.groups.delete(record.group);
      return;
    }
    const group = this.group(record.group);
    if (record.kind === "hardState") group.hardState = record.state;
    else if (record.kind === "floor") {
      group.floor = record.floor;
      group.entries = group.entries.filter(({ index }) => index > record.floor.index);
    } else {
      group.entries = group.entries.filter(({ index }) => index < record.entry.index);
      group.entries.push(record.entry);
    }
  }

  group(id: number): ModelGroup {
    let group = this.groups.get(id);
    if (!group) {
      group = { hardState: { term: 0, votedFor: -1 }, floor: { index: 0, term: 0 }, entries: [] };
      this.groups.set(id, group);
    }
    return group;
  }

  lastIndex(id: number): number {
    const group = this.groups.get(id);
    return group?.entries.at(-1)?.index ?? group?.floor.index ?? 0;
  }

  /** One line for each group and entry, to compare with a recovered journal. */
  describe(): string {
    return describeGroups(
      [...this.groups].map(([id, group]) => [id, group, group.entries.map(({ payload }) => payload)]),
    );
  }
}

/** A payload whose every byte tells which it is. */
export function payloadOf(id: number, sizeBytes: number): Uint8Array {
  const payload = new Uint8Array(sizeBytes).fill(id % 251);
  if (sizeBytes >= 4) new DataView(payload.buffer).setUint32(0, id);
  return payload;
}

/** What a journal recovered, with all payloads read, in the model's words. */
export async function describeRecovered(
  journal: Journal,
  groups: ReadonlyMap<number, RecoveredGroup>,
): Promise<string> {
  const described: Parameters<typeof describeGroups>[0] = [];
  for (const [id, group] of groups) {
    const payloads: Uint8Array[] = [];
    for (const { location } of group.entries) payloads.push(await journal.readPayload(location));
    described.push([id, group, payloads]);
  }
  return describeGroups(described);
}

function describeGroups(
  groups: [
    id: number,
    group: {
      hardState: JournalHardState;
      floor: JournalFloor;
      entries: readonly Omit<JournalEntry, "payload">[];
    },
    payloads: Uint8Array[],
  ][],
): string {
  const lines: string[] = [];
  for (const [id, { hardState, floor, entries }, payloads] of groups.sort(([a], [b]) => a - b)) {
    lines.push(`${id}: term ${hardState.term} vote ${hardState.votedFor} floor ${floor.index}/${floor.term}`);
    for (const [at, { index, term, kind, baseOffset, offsetCount }] of entries.entries()) {
      const payload = payloads[at];
      assert(payload);
      lines.push(`  ${index}/${term} ${kind} ${baseOffset}+${offsetCount} ${digest(payload)}`);
    }
  }
  return lines.join("\n");
}

function digest(payload: Uint8Array): string {
  return `${payload.byteLength}b:${crc32c(payload)}`;
}
