import type { Compression } from "#protocol/compression/compression.ts";
import type { TimestampType } from "#protocol/records/batch.ts";
import type { MetadataCommand } from "../../cluster/metadata/metadata-command.ts";
import { countOf, formatBytes, formatTime } from "../quantities.ts";

/** One thing that a file holds, in the order of the file; `--json` shows it as it is. */
export type DumpItem =
  | {
      readonly kind: "batch";
      readonly position: number;
      readonly sizeBytes: number;
      readonly baseOffset: number;
      readonly lastOffset: number;
      readonly recordCount: number;
      /** Null for an id that no codec has. */
      readonly compression: Compression | null;
      readonly timestampType: TimestampType;
      readonly maxTimestampMs: number;
      readonly leaderEpoch: number;
      /** -1 for none. */
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly baseSequence: number;
      readonly isTransactional: boolean;
      readonly isControl: boolean;
    }
  /** `text` is one line of JSON in the form that `consume --json` prints. */
  | { readonly kind: "record"; readonly text: string }
  | { readonly kind: "indexEntry"; readonly offset: number; readonly position: number }
  | { readonly kind: "timeIndexEntry"; readonly timestampMs: number; readonly offset: number }
  | {
      readonly kind: "frame";
      readonly position: number;
      readonly sizeBytes: number;
      readonly sequence: number;
      readonly isState: boolean;
      readonly recordCount: number;
    }
  | {
      readonly kind: "entry";
      readonly group: number;
      readonly index: number;
      readonly term: number;
      readonly entryKind: string;
      readonly baseOffset: number;
      readonly offsetCount: number;
      readonly payloadBytes: number;
      /** Of the metadata group, where it can be read. */
      readonly command?: MetadataCommand;
    }
  | { readonly kind: "hardState"; readonly group: number; readonly term: number; readonly votedFor: number }
  | { readonly kind: "floor"; readonly group: number; readonly index: number; readonly term: number }
  | { readonly kind: "forget"; readonly group: number }
  /** What should be readable and is not. */
  | { readonly kind: "damage"; readonly position: number; readonly reason: string }
  /** Bytes at the end that hold nothing, or nothing any more. */
  | {
      readonly kind: "unused";
      readonly position: number;
      readonly sizeBytes: number;
      readonly reason: string;
    };

/** One line for a reader, without its end. */
export function describeItem(item: DumpItem): string {
  switch (item.kind) {
    case "batch":
      return describeBatch(item);
    case "record":
      return `    ${item.text}`;
    case "indexEntry":
      return `  offset ${item.offset}  position ${item.position}`;
    case "timeIndexEntry":
      return `  ${formatTime(item.timestampMs)}  offset ${item.offset}`;
    case "frame":
      return (
        `  frame ${item.sequence}  position ${item.position}  ${formatBytes(item.sizeBytes)}  ` +
        `${countOf(item.recordCount, "record")}${item.isState ? "  state" : ""}`
      );
    case "entry":
      return (
        `    entry  group ${item.group}  index ${item.index}  term ${item.term}  ${item.entryKind}` +
        `${item.offsetCount > 0 ? `  offsets ${rangeOf(item.baseOffset, item.offsetCount)}` : ""}` +
        `  ${formatBytes(item.payloadBytes)}${item.command ? `  ${JSON.stringify(item.command)}` : ""}`
      );
    case "hardState":
      return `    state  group ${item.group}  term ${item.term}  voted for ${item.votedFor}`;
    case "floor":
      return `    floor  group ${item.group}  index ${item.index}  term ${item.term}`;
    case "forget":
      return `    forget  group ${item.group}`;
    case "damage":
      return `  DAMAGE at position ${item.position}: ${item.reason}`;
    case "unused":
      return `  ${formatBytes(item.sizeBytes)} from position ${item.position}: ${item.reason}`;
    default:
      return item satisfies never;
  }
}

function describeBatch(batch: DumpItem & { kind: "batch" }): string {
  const parts = [
    `  offsets ${rangeOf(batch.baseOffset, batch.lastOffset - batch.baseOffset + 1)}`,
    `position ${batch.position}`,
    formatBytes(batch.sizeBytes),
    countOf(batch.recordCount, "record"),
    batch.compression ?? "unknown codec",
    `${formatTime(batch.maxTimestampMs)}${batch.timestampType === "logAppendTime" ? " (append time)" : ""}`,
    `epoch ${batch.leaderEpoch}`,
  ];
  if (batch.producerId >= 0) {
    parts.push(`producer ${batch.producerId}/${batch.producerEpoch} sequence ${batch.baseSequence}`);
  }
  if (batch.isTransactional) parts.push("transactional");
  if (batch.isControl) parts.push("control");
  return parts.join("  ");
}

function rangeOf(first: number, count: number): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}
