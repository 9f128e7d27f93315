import type { Difference } from "./compare.ts";

/** One way in which Millrace means to differ from Apache Kafka. */
export interface IntendedDifference {
  readonly title: string;
  /** Why, for docs/differences.md: whole sentences. */
  readonly why: string;
  /** Kafka's names of the APIs where it shows; all unless given. */
  readonly apis?: readonly string[];
  readonly versions?: readonly [min: number, max: number];
  /** By the scenario's name. */
  readonly scenario?: RegExp;
  readonly path: RegExp;
  readonly holds?: (difference: Difference) => boolean;
}

/** All of them; one that no longer shows fails the test too. */
export const intendedDifferences: readonly IntendedDifference[] = [
  {
    title: "APIs that are not served are not advertised",
    why: "Transactions, security, delegation tokens, quotas, the groups of KIP-848, share and streams groups, telemetry and the controller's APIs come later. Clients fall back or say so.",
    apis: ["ApiVersions"],
    path: /\.apiKeys\[/,
    holds: ({ millrace }) => millrace === undefined,
  },
  {
    title: "No features are told",
    why: "A feature level promises behaviour (KIP-584) that belongs to APIs that are not served.",
    apis: ["ApiVersions"],
    path: /\.(supportedFeatures|finalizedFeatures)\[|\.finalizedFeaturesEpoch$/,
  },
  {
    title: "A transaction has no coordinator",
    why: "Transactions are not served yet: whoever asks all the same is refused for good instead of asked to try again.",
    apis: ["FindCoordinator", "InitProducerId"],
    scenario: /transaction|share partition|keyType/i,
    path: /response/,
  },
  {
    title: "The topics of transactions and share groups are not there",
    why: "Kafka makes them for the services that keep their state in them, which are not served yet.",
    apis: ["ElectLeaders"],
    path: /\[__(transaction|share_group)_state\]$/,
    holds: ({ millrace }) => millrace === undefined,
  },
  {
    title: "A batch of a transaction is refused as a wrong record",
    why: "Kafka complains of the missing right to the transaction, which nobody could have here.",
    apis: ["Produce"],
    scenario: /transaction/,
    path: /errorCode$/,
  },
  {
    title: "Fetch sessions are not kept",
    why: "Every answer is complete and names session 0, as KIP-227 allows (decision 4). Kafka's own answer to the greatest session id is an unknown error.",
    apis: ["Fetch"],
    scenario: /session/,
    path: /sessionId$|response\.errorCode$|responses\[/,
  },
  {
    title: "A topic that is asked for is there at once",
    why: "Kafka answers a Metadata request that makes a topic with UNKNOWN_TOPIC_OR_PARTITION and lets the client ask again; here the answer waits for the topic (decision 6).",
    apis: ["Metadata"],
    scenario: /made by asking|odd: topics.name is "no-such"/,
    path: /topics\[/,
  },
  {
    title: "What is wrong is said in words",
    why: "Where Kafka gives a code alone, the answer has a message too; where there is no error, there is no message. Whether a message is there is compared, never its words.",
    path: /errorMessage$/i,
    holds: ({ kafka, millrace }) => millrace === "text" || (kafka === "" && millrace === null),
  },
  {
    title: "A coordinator that is found comes without a message",
    why: "Kafka writes NONE where there is no error.",
    apis: ["FindCoordinator"],
    versions: [1, 3],
    path: /errorMessage$/,
  },
  {
    title: "Compressed records are not looked into",
    why: "Kafka expands each batch to judge its records. Here they stay as they came (decision 5), unless the topic needs keys or another codec: what a client compressed in contradiction to its header is stored, and its readers find out.",
    apis: ["Produce"],
    scenario: /a codec that does not fit/,
    path: /./,
  },
  {
    title: "What is asked for twice is answered twice",
    why: "Kafka keeps answers in a map, in which the last of equal ones wins. Here each is answered, in the order of the request.",
    apis: ["Produce", "Fetch", "ListOffsets", "DeleteRecords", "DeleteGroups"],
    scenario: /twice|used, left, unknown/,
    path: /(partitions|partitionResponses|results)\[|lowWatermark/,
  },
  {
    title: "A topic without partitions is answered",
    why: "Kafka leaves out a topic for which no partitions were asked; here the answer has as many topics as the request.",
    apis: ["Produce", "Fetch", "ListOffsets", "DeleteRecords", "OffsetFetch"],
    scenario: /no partitions|[pP]artition\w* is \[\]|partitionData is \[\]/,
    path: /(responses|topics)\[[^\]]*\]$/,
    holds: ({ kafka }) => kafka === undefined,
  },
  {
    title: "A broken request is answered where Kafka says nothing",
    why: "Kafka's handler fails at null records, at a resource that is named twice and at protocols of one name, and the client waits for its timeout. Here it gets an error, or what it meant.",
    apis: ["Produce", "AlterConfigs", "JoinGroup"],
    scenario: /^(no records|a resource twice|one protocol twice)$/,
    path: /\.kind$|\.response$|groupState$|members/,
  },
  {
    title: "Nonsense has an error of its own, or none",
    why: "Kafka gives UNKNOWN_SERVER_ERROR where its code does not foresee a value: isolation levels that do not exist (here: read uncommitted), negative sizes (here: none), unknown operations and codecs (here: what is wrong with them).",
    holds: ({ kafka }) => kafka !== 0,
    scenario: /isolation|less than no bytes|unknown operation|unknown codec/i,
    path: /./,
  },
  {
    title: "An empty name and an empty id name nothing",
    why: "Kafka meets them with UNKNOWN_SERVER_ERROR; here such a topic is not known, or its name is invalid.",
    apis: ["Metadata", "DescribeTopicPartitions"],
    scenario: /^(no id and no name|odd: .*)$/,
    path: /./,
  },
  {
    title: "Ids and names may be mixed",
    why: "Kafka ignores the names of a Metadata request in which there is an id; here all that was asked for is described.",
    apis: ["Metadata"],
    scenario: /an id and a name in one list/,
    path: /topics\[/,
  },
  {
    title: "A refused Metadata request tells the brokers all the same",
    why: "Topic ids came with version 10 and work from version 12 on; in between Kafka answers with nothing at all.",
    apis: ["Metadata"],
    versions: [10, 11],
    path: /./,
  },
  {
    title: "Attributes that have no meaning are refused",
    why: "Kafka stores bits, times, epochs and leftover bytes of a batch that mean nothing or that only a broker may set, and forgets, corrects or shows them later. Here they are refused, so that no log has them.",
    apis: ["Produce"],
    scenario:
      /^(unknown attributes|stamped by the client|a very negative timestamp|a negative producer epoch|bytes after the batch)$/,
    path: /./,
  },
  {
    title: "The start of the log is told with every batch that its partition refused",
    why: "Kafka tells it only for some errors.",
    apis: ["Produce"],
    path: /logStartOffset$/,
    holds: ({ kafka, millrace }) => kafka === -1 && millrace === 0,
  },
  {
    title: "A batch that came before has no time of its own",
    why: "Kafka answers it with the producer's time as if the broker had stamped it; here only a topic that stamps tells a time.",
    apis: ["Produce"],
    scenario: /sequences/,
    path: /logAppendTimeMs$/,
  },
  {
    title: "The greatest timestamp lies in the log",
    why: "After DeleteRecords Kafka can name an offset before the log's start.",
    apis: ["ListOffsets"],
    scenario: /the greatest timestamp of a trimmed log/,
    path: /offset$/,
  },
  {
    title: "A leader epoch below -1 is none",
    why: "Kafka fences an epoch below -1 in ListOffsets and ignores it in Fetch; here it is ignored in both.",
    apis: ["ListOffsets"],
    scenario: /an old leader epoch/,
    path: /partitions\[/,
  },
  {
    title: "Topics that are made together must not collide either",
    why: "Kafka compares names that differ in dots and underscores only with topics that are there.",
    apis: ["CreateTopics"],
    scenario: /collide with each other/,
    path: /./,
  },
  {
    title: "The broker's own topics do not grow",
    why: "Kafka adds partitions to __consumer_offsets, and from its next start on looks for groups in other partitions than those that hold their offsets. Here growing it is refused (decision 11).",
    apis: ["CreatePartitions"],
    scenario: /an internal topic, to more/,
    path: /errorCode$/,
  },
  {
    title: "A topic that is only validated has no id",
    why: "Kafka tells one that will never be used.",
    apis: ["CreateTopics"],
    path: /\[validate\].*topicId$/,
  },
  {
    title: "Values of configs are told as they are understood",
    why: "Kafka keeps and tells the very text, blanks and capitals included.",
    apis: ["CreateTopics", "IncrementalAlterConfigs", "AlterConfigs"],
    scenario: /blanks|boolean/,
    path: /value$/,
  },
  {
    title: "min.insync.replicas comes from the configuration",
    why: "Kafka 4.3 formats a cluster with a dynamic default of this config for all brokers, for its eligible leader replicas (KIP-966).",
    path: /\[(\d+ )?min\.insync\.replicas\]|min\.insync\.replicas/,
  },
  {
    title: "Kafka's internal configs are described",
    why: "Kafka hides what it keeps for its own tests and tuning. Here whatever can be set can be seen.",
    apis: ["DescribeConfigs", "CreateTopics"],
    path: /\.configs\[/,
    holds: ({ kafka }) => kafka === undefined,
  },
  {
    title: "Millrace's own configs and addresses",
    why: "Listeners, directories and the configs that Kafka does not have differ between any two brokers.",
    apis: ["DescribeConfigs"],
    path: /\[(millrace\.[^\]]*|listeners|advertised\.listeners|listener\.security\.protocol\.map|controller\.listener\.names|controller\.quorum\.voters|log\.dirs?|process\.roles)\]/,
  },
  {
    title: "Documentation is for configs that act",
    why: "Kafka documents every config; here one sentence says what a config does in Millrace, and a config that does nothing has none.",
    apis: ["DescribeConfigs"],
    path: /documentation$/,
  },
  {
    title: "Loggers and client metrics have no configs",
    why: "The log level is a config of the broker, and clients push no metrics.",
    apis: ["DescribeConfigs"],
    scenario: /loggers|client metrics/,
    path: /./,
  },
  {
    title: "Unknown configs of a broker are refused",
    why: "Kafka keeps them for plug-ins; here there are none, and a misspelt name would go unnoticed.",
    apis: ["IncrementalAlterConfigs"],
    scenario: /unknown config of this broker|a config of (this broker|all brokers)/,
    path: /errorCode$|no\.such\.config/,
  },
  {
    title: "A join that is refused leaves no group behind",
    why: "Nor does a member id that nobody used before it expired or was given back. Kafka keeps an empty group until it is cleaned up, and lists and describes it.",
    apis: ["JoinGroup", "ListGroups"],
    scenario: /^no protocol|^odd|^an id that is given/,
    path: /groups\[/,
  },
  {
    title: "Sizes are those of the files",
    why: "The records of internal topics differ, and so do their sizes; transactions and share groups have no topics.",
    apis: ["DescribeLogDirs"],
    path: /partitionSize$|topics\[__/,
  },
  {
    title: "A topic that is named twice for deletion is answered under one of its names",
    why: "Kafka puts the name and the id of both into one answer.",
    apis: ["DeleteTopics"],
    scenario: /the id of the same topic/,
    path: /responses\[/,
  },
];

/** Where a difference was seen. */
export interface Place {
  readonly api: string;
  readonly version: number;
  readonly scenario: string;
}

/** The entry that a difference falls under. */
export function intentOf(difference: Difference, place: Place): IntendedDifference | undefined {
  return intendedDifferences.find(
    ({ apis, versions: [min, max] = [0, 99], scenario, path, holds }) =>
      (apis?.includes(place.api) ?? true) &&
      place.version >= min &&
      place.version <= max &&
      (scenario?.test(place.scenario) ?? true) &&
      path.test(difference.path) &&
      (holds?.(difference) ?? true),
  );
}
