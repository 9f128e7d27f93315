import protobuf from "protobufjs";

/**
 * The envelopes of the frames between nodes. Payload bytes are not in here: they follow the envelope in the order
 * in which it tells their sizes. Fields are only ever added, so that nodes of two releases understand each other.
 */
const schema = `
syntax = "proto3";

message Identity { string cluster_id = 1; uint32 node_id = 2; uint32 incarnation = 3; string process_id = 4; bytes card = 5; }
message Hello { uint32 version_min = 1; uint32 version_max = 2; Identity from = 3; optional uint32 to_node_id = 4; }
message Welcome { uint32 version = 1; Identity from = 2; }
message Refusal { string code = 1; string reason = 2; Identity from = 3; }

// A message without from or to goes between the replicas that the frame names.
message Pass {
  uint64 from = 1;
  uint64 to = 2;
  repeated GroupMessage messages = 3;
  HeartbeatSet heartbeats = 4;
  HeartbeatSetAnswer heartbeats_answer = 5;
}
// The body is the field that kind names by its number; a oneof would say the same at twice the time of decoding.
message GroupMessage {
  uint32 group = 1;
  uint32 kind = 2;
  uint64 term = 3;
  optional uint64 from = 4;
  optional uint64 to = 5;
  Append append = 6;
  AppendAccepted append_accepted = 7;
  AppendRejected append_rejected = 8;
  Heartbeat heartbeat = 9;
  HeartbeatAnswer heartbeat_answer = 10;
  Vote vote = 11;
  VoteAnswer vote_answer = 12;
  TimeoutNow timeout_now = 13;
  ReadIndex read_index = 14;
  ReadIndexAnswer read_index_answer = 15;
  Snapshot snapshot = 16;
  SnapshotRefused snapshot_refused = 17;
}

message Append { uint64 previous_index = 1; uint64 previous_term = 2; uint64 commit_index = 3; repeated Entry entries = 4; }
message Entry { uint64 term = 1; uint32 kind = 2; uint64 base_offset = 3; uint32 offset_count = 4; uint32 payload_bytes = 5; }
message AppendAccepted { uint64 match_index = 1; }
message AppendRejected { uint64 rejected_index = 1; uint64 hint_index = 2; uint64 hint_term = 3; }
message Heartbeat { uint64 commit_index = 1; uint64 read_context = 2; }
message HeartbeatAnswer { uint64 read_context = 1; }
message Vote { bool pre_vote = 1; bool is_transfer = 2; uint64 last_index = 3; uint64 last_term = 4; }
message VoteAnswer { bool pre_vote = 1; bool is_granted = 2; uint64 commit_index = 3; uint64 commit_term = 4; }
message TimeoutNow {}
message ReadIndex { uint64 context = 1; }
message ReadIndexAnswer { uint64 context = 1; uint64 index = 2; }
message Snapshot { SnapshotPoint point = 1; }
message SnapshotPoint { uint64 index = 1; uint64 term = 2; uint64 next_offset = 3; Configuration configuration = 4; }
message Configuration {
  repeated uint64 voters = 1;
  repeated uint64 outgoing = 2;
  repeated uint64 learners = 3;
  repeated uint64 learners_next = 4;
  bool auto_leave = 5;
}
message SnapshotRefused { uint64 index = 1; }

message HeartbeatSet {
  uint64 round = 1;
  uint64 version = 2;
  uint64 base_version = 3;
  repeated uint32 groups = 4;
  repeated uint64 terms = 5;
  repeated uint64 commit_indexes = 6;
  repeated uint64 read_contexts = 7;
  repeated uint32 removed = 8;
}
message HeartbeatSetAnswer {
  uint64 round = 1;
  uint64 version = 2;
  repeated uint32 groups = 3;
  repeated uint64 terms = 4;
  repeated uint64 read_contexts = 5;
}

message Chunk { uint64 stream = 1; uint32 group = 2; uint64 sequence = 3; string label = 4; bool is_last = 5; }
`;

const root = parse();

/** The envelope types, by the kind of frame that they are of. */
export const envelopes = {
  hello: root.lookupType("Hello"),
  welcome: root.lookupType("Welcome"),
  refusal: root.lookupType("Refusal"),
  pass: root.lookupType("Pass"),
  chunk: root.lookupType("Chunk"),
} as const;

/** The types, with numbers for absent uint64s, as the reader gives them for those that are there, null for optional ones. */
function parse(): protobuf.Root {
  const { root } = protobuf.parse(schema);
  // Only then is it known which fields are optional.
  root.resolveAll();
  for (const type of root.nestedArray) {
    if (!(type instanceof protobuf.Type)) continue;
    const { prototype } = type.ctor as { prototype: Record<string, unknown> };
    for (const field of type.fieldsArray) {
      const isNumber = field.type === "uint64" || field.type === "uint32";
      if (isNumber && !field.repeated) prototype[field.name] = field.hasPresence ? null : 0;
    }
  }
  return root;
}
