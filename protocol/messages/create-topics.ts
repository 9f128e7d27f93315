import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Creates topics, by partition count or by explicit replica assignment. */
export const CreateTopics = api({
  name: "CreateTopics",
  key: 19,
  versions: [2, 7],
  flexibleFrom: 5,
  request: {
    topics: t.array({
      name: t.string,
      numPartitions: t.int32, // KIP-464: -1 takes the broker's default.
      replicationFactor: t.int16, // KIP-464: -1 takes the broker's default.
      assignments: t.array({
        partitionIndex: t.int32,
        brokerIds: t.array(t.int32),
      }),
      configs: t.array({
        name: t.string,
        value: t.string.nullable(),
      }),
    }),
    timeoutMs: t.int32.default(60000),
    validateOnly: t.boolean,
  },
  response: {
    throttleTimeMs: t.int32.ignorable(),
    topics: t.array({
      name: t.string,
      topicId: t.uuid.since(7).ignorable(), // KIP-516.
      errorCode: t.errorCode,
      errorMessage: t.string.nullable().ignorable(),
      // KIP-525: why the configuration is not shown.
      topicConfigErrorCode: t.errorCode.tagged(0, 5).ignorable(),
      numPartitions: t.int32.since(5).default(-1).ignorable(), // KIP-525.
      replicationFactor: t.int16.since(5).default(-1).ignorable(),
      configs: t
        .array({
          name: t.string,
          value: t.string.nullable(),
          readOnly: t.boolean,
          configSource: t.int8.default(-1).ignorable(),
          isSensitive: t.boolean,
        })
        .nullable()
        .since(5)
        .ignorable(),
    }),
  },
});

export type CreateTopicsRequest = RequestOf<typeof CreateTopics>;
export type CreateTopicsResponse = ResponseOf<typeof CreateTopics>;
