import type { Heartbeat, Message } from "../core/messages.ts";
import type { HeartbeatSet, HeartbeatSetAnswer } from "../transport/heartbeat-set.ts";
import type { GroupMessage, PassFrame } from "../transport/node-frame.ts";
import { HeartbeatReceiver } from "./heartbeat-receiver.ts";
import { HeartbeatSender } from "./heartbeat-sender.ts";

/** Payload bytes and messages at which a pass begins another frame for a peer: far below what a transport takes. */
const frameBytesMax = 8 << 20;
const frameMessagesMax = 10_000;
/** Small messages of dropped frames that are kept for a peer until its outbox has drained. */
const unsentMessagesMax = 1_000;

/** All that this node's groups have to say to one peer, and what is known of the peer's heartbeats. */
export class PeerTraffic {
  readonly heartbeats = new HeartbeatSender();
  readonly received = new HeartbeatReceiver();
  readonly #send: (frame: PassFrame) => boolean;
  #messages: GroupMessage[] = [];
  #payloadBytes = 0;
  #answer: HeartbeatSetAnswer | undefined;
  /** Of frames that were dropped: groups whose entries did not go, and all else, which is small. */
  #unsent: { readonly groups: Set<number>; readonly messages: GroupMessage[] } | undefined;

  constructor(send: (frame: PassFrame) => boolean) {
    this.#send = send;
  }

  post(group: number, message: Message): void {
    this.#messages.push({ group, message });
    if (message.kind === "append") {
      for (const { payload } of message.entries) this.#payloadBytes += payload.length;
    }
    if (this.#payloadBytes >= frameBytesMax || this.#messages.length >= frameMessagesMax) this.flush();
  }

  /** The answer to the peer's heartbeats; a later one says what an earlier one says. */
  answer(answer: HeartbeatSetAnswer): void {
    this.#answer = answer;
  }

  noteHeartbeat(group: number, heartbeat: Heartbeat): void {
    this.heartbeats.note(group, heartbeat);
  }

  /** Sends what has gathered, with a round of heartbeats where it is time for one. */
  flush(heartbeats?: HeartbeatSet): void {
    if (this.#messages.length === 0 && !heartbeats && !this.#answer) return;
    const messages = this.#messages;
    const frame: PassFrame = {
      kind: "pass",
      messages,
      ...(heartbeats && { heartbeats }),
      ...(this.#answer && { heartbeatsAnswer: this.#answer }),
    };
    this.#messages = [];
    this.#payloadBytes = 0;
    this.#answer = undefined;
    if (!this.#send(frame)) this.#keep(messages);
  }

  /** Frames go again: sends what is small once more, and answers the groups whose entries did not go. */
  drained(): Iterable<number> {
    const { groups = new Set<number>(), messages = [] } = this.#unsent ?? {};
    this.#unsent = undefined;
    for (const { group, message } of messages) this.post(group, message);
    return groups;
  }

  /** The connection is gone, and whatever comes next begins anew. */
  lost(): void {
    this.#unsent = undefined;
  }

  /** Entries are too large to be kept: they are sent again from the log. What does not fit is left to heartbeats. */
  #keep(messages: readonly GroupMessage[]): void {
    this.#unsent ??= { groups: new Set(), messages: [] };
    for (const unsent of messages) {
      if (unsent.message.kind === "append") this.#unsent.groups.add(unsent.group);
      else if (this.#unsent.messages.length < unsentMessagesMax) this.#unsent.messages.push(unsent);
    }
  }
}
