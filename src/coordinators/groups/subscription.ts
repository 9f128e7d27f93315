import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { Reader } from "#protocol/bytes/reader.ts";
import { ConsumerProtocolSubscription } from "#protocol/messages/internal/consumer-protocol.ts";
import type { GroupMember } from "./group-member.ts";

/**
 * The topics that consumers subscribe to under the elected protocol; null when some metadata is not a
 * subscription, for then the group may use any topic.
 */
export function subscribedTopics(
  members: readonly GroupMember[],
  protocolName: string | null,
): ReadonlySet<string> | null {
  const topics = new Set<string>();
  for (const member of members) {
    const own = topicsOf(member.metadataFor(protocolName));
    if (!own) return null;
    for (const topic of own) topics.add(topic);
  }
  return topics;
}

/** Every version of a subscription begins like version 0, and the topics are in that part. */
function topicsOf(subscription: Uint8Array): readonly string[] | null {
  try {
    const reader = new Reader(subscription);
    reader.int16();
    return ConsumerProtocolSubscription.decode(reader, 0).topics;
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
