import type { Configuration } from "#raft/core/configuration.ts";
import { decodeConfiguration } from "#raft/core/configuration.ts";
import type { Entry } from "#raft/core/entry.ts";
import type { Message, SnapshotPoint } from "#raft/core/messages.ts";
import type { Raft } from "#raft/core/raft.ts";
import { noReplica } from "#raft/core/replica-id.ts";

/** `voters=(1 2)&&(1) learners=(3)`, as short as it can be. */
export function describeConfiguration(configuration: Configuration): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  let text = `voters=(${voters.join(" ")})`;
  if (outgoing.length > 0) text += `&&(${outgoing.join(" ")})`;
  if (learners.length > 0) text += ` learners=(${learners.join(" ")})`;
  if (learnersNext.length > 0) text += ` learners-next=(${learnersNext.join(" ")})`;
  if (autoLeave) text += " auto-leave";
  return text;
}

/** `term/index kind what`. */
export function describeEntry({ term, index, kind, payload }: Entry): string {
  const what = kind === "configuration" ? describeConfiguration(decodeConfiguration(payload)) : `${payload}`;
  if (kind === "noop") return `${term}/${index} noop`;
  return kind === "data" ? `${term}/${index} "${Buffer.from(payload)}"` : `${term}/${index} ${kind} ${what}`;
}

/** Entries in brackets. */
export function describeEntries(entries: readonly Entry[]): string {
  return `[${entries.map(describeEntry).join(", ")}]`;
}

/** `term/index next-offset configuration`. */
export function describePoint({ term, index, nextOffset, configuration }: SnapshotPoint): string {
  return `${term}/${index} offset=${nextOffset} ${describeConfiguration(configuration)}`;
}

/** `from->to kind term=…` and what matters of its kind. */
export function describeMessage(message: Message): string {
  return `${message.from}->${message.to} ${message.kind} term=${message.term}${fields(message)}`;
}

function fields(message: Message): string {
  switch (message.kind) {
    case "vote": {
      const flags = `${message.preVote ? " pre" : ""}${message.isTransfer ? " transfer" : ""}`;
      return `${flags} last=${message.lastTerm}/${message.lastIndex}`;
    }
    case "voteAnswer":
      return `${message.preVote ? " pre" : ""} ${message.isGranted ? "granted" : "refused"}`;
    case "append": {
      const { previousTerm, previousIndex, commitIndex, entries } = message;
      const list = entries.length > 0 ? ` ${describeEntries(entries)}` : "";
      return ` behind=${previousTerm}/${previousIndex} commit=${commitIndex}${list}`;
    }
    case "appendAccepted":
      return ` match=${message.matchIndex}`;
    case "appendRejected":
      return ` rejected=${message.rejectedIndex} hint=${message.hintTerm}/${message.hintIndex}`;
    case "heartbeat":
      return ` commit=${message.commitIndex}${message.readContext > 0 ? ` read=${message.readContext}` : ""}`;
    case "heartbeatAnswer":
      return message.readContext > 0 ? ` read=${message.readContext}` : "";
    case "timeoutNow":
      return "";
    case "readIndex":
      return ` context=${message.context}`;
    case "readIndexAnswer":
      return ` context=${message.context} index=${message.index}`;
    case "snapshot":
      return ` ${describePoint(message.point)}`;
    case "snapshotRefused":
      return ` index=${message.index}`;
    default:
      return message satisfies never;
  }
}

/** Role, term, vote right and leader. */
export function describeState(raft: Raft): string {
  const { voters, outgoing } = raft.configuration;
  const isVoter = voters.includes(raft.id) || outgoing.includes(raft.id);
  const leader = raft.leader === noReplica ? "none" : raft.leader;
  return `${raft.id}: ${raft.role}${isVoter ? "" : " (no voter)"} term=${raft.term} leader=${leader} commit=${raft.commitIndex} last=${raft.lastIndex}`;
}

/** What a leader knows of each replica. */
export function describeProgress(raft: Raft): string {
  if (!raft.progress) return `${raft.id} does not lead`;
  const lines = [...raft.progress].map(([id, progress]) => {
    if (id === raft.id) return `${id}: match=${progress.matchIndex}`;
    const inflight = progress.inflight.count > 0 ? ` inflight=${progress.inflight.count}` : "";
    const full = progress.inflight.isFull ? " full" : "";
    const paused = progress.isPaused ? " paused" : "";
    const active = progress.isActive ? "" : " inactive";
    const point = progress.point ? ` point=${progress.point.index}` : "";
    return `${id}: ${progress.state} match=${progress.matchIndex} next=${progress.nextIndex}${inflight}${full}${paused}${point}${active}`;
  });
  return lines.join("\n");
}
