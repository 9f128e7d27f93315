/** The partition of `__consumer_offsets` that owns a group: every Kafka broker and tool computes it like this. */
export function groupPartition(groupId: string, partitionCount: number): number {
  let hash = 0;
  for (let index = 0; index < groupId.length; index++) {
    hash = (Math.imul(hash, 31) + groupId.charCodeAt(index)) | 0; // Java's string hash, over UTF-16 units.
  }
  // Kafka clears the sign of the one int32 without a positive twin by calling it 0.
  const positive = hash === -(2 ** 31) ? 0 : Math.abs(hash);
  return positive % partitionCount;
}
