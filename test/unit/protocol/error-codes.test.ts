import { expect, test } from "vitest";
import { ErrorCode, errorMessage, errorName, isRetriable } from "#protocol/error-codes.ts";

test("names are Kafka's", () => {
  expect(errorName(ErrorCode.notLeaderOrFollower)).toBe("NOT_LEADER_OR_FOLLOWER");
  expect(errorName(ErrorCode.unknownServerError)).toBe("UNKNOWN_SERVER_ERROR");
  expect(errorName(9999)).toBe("ERROR_9999");
});

test("only errors that pass are retriable", () => {
  expect(isRetriable(ErrorCode.coordinatorLoadInProgress)).toBe(true);
  expect(isRetriable(ErrorCode.none)).toBe(false);
  expect(isRetriable(ErrorCode.invalidTopicException)).toBe(false);
});

test("the message of no error is null", () => {
  expect(errorMessage(ErrorCode.none)).toBeNull();
  expect(errorMessage(ErrorCode.groupIdNotFound)).toBe("Group id not found");
});
