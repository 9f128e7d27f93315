import { ErrorCode } from "#protocol/error-codes.ts";
import type { InitProducerIdRequest, InitProducerIdResponse } from "#protocol/messages/init-producer-id.ts";
import type { ServedBroker } from "./served-broker.ts";

const noProducer = -1;

/** Gives an idempotent producer its id, or a higher epoch of the one that it has (KIP-98, KIP-360). */
export async function initProducerId(
  broker: ServedBroker,
  request: InitProducerIdRequest,
): Promise<InitProducerIdResponse> {
  const none = { producerId: noProducer, producerEpoch: -1 };
  // No transaction coordinator is advertised; a client that asks all the same must not wait for one.
  if (request.transactionalId !== null) return { ...none, errorCode: ErrorCode.invalidRequest };
  const isPaired = (request.producerId === noProducer) === (request.producerEpoch === -1);
  if (!isPaired) return { ...none, errorCode: ErrorCode.invalidRequest };

  // Without a transactional id nobody remembers the old one's epoch, so a fresh id takes its place, as in Kafka.
  const producerId = await broker.producerIds.next(broker.config.requestTimeoutMs);
  // As Kafka says while it waits for a block of ids: clients ask again.
  if (producerId === undefined) return { ...none, errorCode: ErrorCode.coordinatorLoadInProgress };
  return { errorCode: ErrorCode.none, producerId, producerEpoch: 0 };
}
