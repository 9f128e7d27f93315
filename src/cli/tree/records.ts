import type { Command } from "../command.ts";
import { connectionOptions, jsonOption } from "./common-options.ts";

/** `millrace produce`. */
export const produce: Command = {
  name: "produce",
  summary: "write records, one from each line of a file or of what is piped in",
  description: [
    "A line is a record's value. With --key-separator its part before the separator is the key. With --format json",
    'a line is {"key": ..., "value": ..., "headers": {...}, "partition": N, "timestamp": ...}, as consume --json prints',
    "it. Records with a key go to the partition where every Kafka client puts them.",
  ],
  positionals: [
    { name: "TOPIC", takes: "one", completes: "topic" },
    { name: "FILE", takes: "optional", completes: "file" },
  ],
  options: [
    {
      name: "key-separator",
      short: "K",
      value: "TEXT",
      summary: "what ends the key in a line (\\t is a tab)",
    },
    { name: "key", short: "k", value: "TEXT", summary: "the key of every record" },
    {
      name: "header",
      short: "H",
      value: "NAME=VALUE",
      isRepeated: true,
      summary: "a header of every record",
    },
    { name: "partition", short: "p", value: "NUMBER", summary: "the partition of every record" },
    { name: "null-value", value: "TEXT", summary: "a value that stands for none: a tombstone" },
    { name: "format", value: "lines|json", summary: "what a line is (lines)", completes: ["lines", "json"] },
    {
      name: "compression",
      short: "z",
      value: "CODEC",
      summary: "none, gzip, snappy, lz4 or zstd (none)",
      completes: ["none", "gzip", "snappy", "lz4", "zstd"],
    },
    {
      name: "acks",
      value: "all|1|0",
      summary: "who must have a record before it counts (all)",
      completes: ["all", "1", "0"],
    },
    { name: "no-idempotence", summary: "do without a producer id: a retry may write a record twice" },
    { name: "batch-bytes", value: "BYTES", summary: "largest batch before compression (524288)" },
    jsonOption,
    ...connectionOptions,
  ],
  examples: [
    { says: "One record", line: "echo hello | millrace produce greetings" },
    { says: "A file with keys", line: "millrace produce users users.tsv --key-separator '\\t' -z zstd" },
    { says: "Copy a topic", line: "millrace consume old --json -e | millrace produce new --format json" },
  ],
  load: async () => (await import("../commands/produce.ts")).produce,
};

/** `millrace consume`. */
export const consume: Command = {
  name: "consume",
  summary: "read records and print them",
  description: [
    "Without --group it reads all partitions, or those given, from --from on, and stores nothing. With --group it is a",
    "member of a consumer group: it goes on where the group was, and stores offsets of what it printed.",
    "--from and a group without offsets: beginning, end, an offset, -N (the last N of each partition), or a time such",
    "as 2026-01-31T12:00:00Z. In --format: %t topic, %p partition, %o offset, %T time in ms, %D time in words, %k key,",
    "%s value, %h headers, %K %S sizes of key and value, \\n, \\t, \\0, %%.",
  ],
  positionals: [{ name: "TOPIC", takes: "some", completes: "topic" }],
  options: [
    {
      name: "from",
      short: "o",
      value: "WHERE",
      summary: "where to begin (end; beginning with --group or --exit)",
      completes: ["beginning", "end"],
    },
    { name: "from-beginning", summary: "the same as --from beginning" },
    {
      name: "group",
      short: "g",
      value: "GROUP",
      summary: "read as a member of this group",
      completes: "group",
    },
    { name: "partition", short: "p", value: "NUMBER", isRepeated: true, summary: "only these partitions" },
    { name: "count", short: "n", value: "COUNT", summary: "end after so many records" },
    { name: "exit", short: "e", summary: "end when everything that is there was read" },
    { name: "format", short: "f", value: "FORMAT", summary: "how to print a record ('%s\\n')" },
    { name: "key-separator", short: "K", value: "TEXT", summary: "print key and TEXT before the value" },
    { name: "committed", summary: "leave out records of open and aborted transactions" },
    jsonOption,
    ...connectionOptions,
  ],
  examples: [
    { says: "Everything so far", line: "millrace consume orders --from beginning --exit" },
    {
      says: "The last ten of each partition, then what comes",
      line: "millrace consume orders --from=-10 -f '%p:%o %k %s\\n'",
    },
    { says: "As a worker of a group", line: "millrace consume orders --group billing --json" },
  ],
  load: async () => (await import("../commands/consume.ts")).consume,
};
