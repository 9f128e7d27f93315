/*
 * What a client may do with a thing, one bit for each operation (KIP-430). Without an authorizer everybody may do all
 * that the kind of thing knows.
 *
 *   3 read  4 write  5 create  6 delete  7 alter  8 describe  9 cluster action
 *   10 describe configs  11 alter configs  12 idempotent write
 */

/** What the field says where nobody asked. */
export const operationsNotAsked = -(2 ** 31);

/** All operations that topics know. */
export const topicOperations: number = bits(3, 4, 5, 6, 7, 8, 10, 11);

/** All operations that groups know. */
export const groupOperations: number = bits(3, 6, 8, 10, 11);

/** All operations that a cluster knows. */
export const clusterOperations: number = bits(5, 7, 8, 9, 10, 11, 12);

function bits(...operations: readonly number[]): number {
  return operations.reduce((mask, operation) => mask | (1 << operation), 0);
}
