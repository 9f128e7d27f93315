/** What the coordinator asks about a topic. */
export interface GroupTopic {
  readonly name: string;
  /** 22 characters of base64url, as on the wire. */
  readonly id: string;
  readonly partitionCount: number;
}

/** The topics that exist now: the coordinator refuses offsets of others and translates ids (KIP-848 versions). */
export interface TopicDirectory {
  find(name: string): GroupTopic | undefined;
  findById(id: string): GroupTopic | undefined;
}
