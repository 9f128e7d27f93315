import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { defaultGroupConfig } from "#src/coordinators/groups/group-config.ts";
import { GroupShard } from "#src/coordinators/groups/group-shard.ts";
import { fetchOffsets } from "#src/coordinators/groups/offset-fetch.ts";
import { only } from "./group-world.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryGroupLog } from "./memory-group-log.ts";

const at = { topic: "orders", partition: 0 };

test.each([
  ["named", [{ name: "orders", topicId: "", partitionIndexes: [0] }]],
  ["all", null],
])("stable offsets of %s topics are held back while a transaction commits them (trap 47)", (_, topics) => {
  const shard = new GroupShard(0, {
    log: new MemoryGroupLog(),
    clock: new ManualClock(),
    identity: { newMemberSuffix: () => "uuid" },
    topics: { find: () => undefined, findById: () => undefined },
    config: defaultGroupConfig,
  });
  const group = shard.create("g");
  const committed = {
    offset: 3,
    leaderEpoch: -1,
    metadata: "",
    commitTimestampMs: 0,
    expireTimestampMs: null,
  };
  group?.offsets.restore(at, committed);
  const fetch = (requireStable: boolean): object | undefined => {
    const answer = fetchOffsets(shard, { groupId: "g", topics, requireStable, byTopicId: false });
    return only(only(answer.topics).partitions);
  };

  group?.offsets.holdUnstable(at, 7);
  expect(fetch(true)).toMatchObject({ committedOffset: -1, errorCode: ErrorCode.unstableOffsetCommit });
  expect(fetch(false)).toMatchObject({ committedOffset: 3, errorCode: ErrorCode.none });
  group?.offsets.releaseUnstable(7);
  expect(fetch(true)).toMatchObject({ committedOffset: 3, errorCode: ErrorCode.none });
});
