import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BrokerConfig } from "#src/config/broker-config.ts";
import { brokerConfigs } from "#src/config/broker-configs.ts";
import { type LoadedBrokerConfig, type LoadNotes, loadBrokerConfig } from "#src/config/load-broker-config.ts";

/** As Kafka's distribution ships it for a node of its own, comments left out. */
const stockProperties = `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
#log.flush.interval.messages=10000
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`;

describe("a start without any config", () => {
  test("serves this machine only, from a directory beside it", () => {
    const { config, notes } = loaded({});
    expect(config).toMatchObject({
      nodeId: 1,
      rack: null,
      listeners: [{ name: "PLAINTEXT", host: "127.0.0.1", port: 9092, securityProtocol: "PLAINTEXT" }],
      controllerListeners: [],
      logDirectory: "data",
      storage: "disk",
      numPartitions: 1,
      autoCreateTopics: true,
      socketRequestMaxBytes: 104_857_600,
      queuedRequestBytesMax: 268_435_456,
      groups: { minSessionTimeoutMs: 6000, maxSessionTimeoutMs: 1_800_000, initialRebalanceDelayMs: 3000 },
      offsets: { retentionMs: 604_800_000, metadataMaxBytes: 4096, topicPartitions: 50 },
      topicDefaults: {
        retentionMs: 604_800_000,
        segmentBytes: 1_073_741_824,
        cleanupPolicy: { delete: true },
      },
    });
    expect(config.advertisedListeners).toEqual(config.listeners);
    expect(config.static.size).toBe(0);
    expect(notes).toEqual({ withoutEffect: [], warnings: [] });
    expect(Object.isFrozen(config)).toBe(true);
  });
});

describe("Kafka's own server.properties", () => {
  test("starts as it is, and what has no effect is named once, in order", () => {
    const { config, notes } = loaded({ file: stockProperties });
    expect(config.listeners).toMatchObject([{ name: "PLAINTEXT", host: "", port: 9092 }]);
    expect(config.controllerListeners).toMatchObject([{ name: "CONTROLLER", port: 9093 }]);
    expect(config.advertisedListeners).toMatchObject([{ name: "PLAINTEXT", host: "localhost", port: 9092 }]);
    expect(config.logDirectory).toBe("/tmp/kraft-combined-logs");
    expect(config.offsets.topicReplicationFactor).toBe(1);
    expect(notes.withoutEffect).toEqual([
      "inter.broker.listener.name",
      "num.io.threads",
      "num.network.threads",
      "num.recovery.threads.per.data.dir",
      "share.coordinator.state.topic.min.isr",
      "share.coordinator.state.topic.replication.factor",
      "socket.receive.buffer.bytes",
      "socket.send.buffer.bytes",
      "transaction.state.log.min.isr",
      "transaction.state.log.replication.factor",
    ]);
  });

  test("starts with controller.quorum.voters and a map that knows the two listeners only", () => {
    const { config } = loaded({
      file: [
        "process.roles=broker,controller",
        "node.id=3",
        "controller.quorum.voters=3@127.0.0.1:19093",
        "listeners=PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093",
        "advertised.listeners=PLAINTEXT://127.0.0.1:19092",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names=CONTROLLER",
        "log.dirs=/x/data",
        "group.initial.rebalance.delay.ms=0",
      ].join("\n"),
    });
    expect(config).toMatchObject({ nodeId: 3, groups: { initialRebalanceDelayMs: 0 } });
    expect(config.static.get("broker.id")).toBe("3");
  });

  test("of ZooKeeper's time is taken too: removed configs are named, not refused", () => {
    const { config, notes } = loaded({
      file: "broker.id=0\nzookeeper.connect=localhost:2181\nlisteners=PLAINTEXT://127.0.0.1:9092\nlog.dir=/a",
    });
    expect(config.nodeId).toBe(0);
    expect(config.logDirectory).toBe("/a");
    expect(notes.withoutEffect).toEqual(["zookeeper.connect"]);
  });
});

test("what the cluster keeps of a node is not set at its start", () => {
  expect(refused({ args: ["--millrace.node.state=maintenance"] })).toEqual([
    'Cannot set millrace.node.state at start: the cluster keeps it, set it with "millrace cluster" or kafka-configs',
  ]);
});

describe("precedence", () => {
  test("flags beat the environment, which beats the file, which beats defaults", () => {
    const file = "num.partitions=2\nmessage.max.bytes=2000\nfetch.max.bytes=2048";
    const environment = { MILLRACE_NUM_PARTITIONS: "3", MILLRACE_MESSAGE_MAX_BYTES: "3000" };
    const { config } = loaded({ file, environment, args: ["--num.partitions=4"] });
    expect(config).toMatchObject({ numPartitions: 4, messageMaxBytes: 3000, fetchMaxBytes: 2048 });
  });

  test("a flag is --name=value or --name value, also with a negative number", () => {
    const { config } = loaded({
      args: ["--log.dirs", "/x y", "--log.retention.bytes", "-1", "--num.partitions=7"],
    });
    expect(config).toMatchObject({ logDirectory: "/x y", numPartitions: 7 });
    expect(config.topicDefaults.retentionBytes).toBe(-1);
  });

  test("a stronger place replaces the other names of the same thing", () => {
    const file = "log.retention.ms=5000\nnode.id=1\nlog.dirs=/a";
    const { config } = loaded({ file, args: ["--log.retention.hours=2", "--broker.id=9", "--log.dir=/b"] });
    expect(config.topicDefaults.retentionMs).toBe(7_200_000);
    expect(config.nodeId).toBe(9);
    expect(config.logDirectory).toBe("/b");
  });

  test("the environment reaches Millrace's own configs without a second MILLRACE", () => {
    const { config } = loaded({
      environment: { MILLRACE_STORAGE: "memory", MILLRACE_MILLRACE_LOG_LEVEL: "debug" },
    });
    expect(config).toMatchObject({ storage: "memory", logLevel: "debug" });
  });

  test("an empty variable, and those that Kubernetes adds for a service named millrace, are no configs", () => {
    const environment = {
      MILLRACE_BROKER_RACK: "",
      MILLRACE_PORT: "tcp://10.0.0.1:9092",
      MILLRACE_SERVICE_HOST: "10.0.0.1",
      MILLRACE_SERVICE_PORT_KAFKA: "9092",
      MILLRACE_PORT_9092_TCP_ADDR: "10.0.0.1",
      PATH: "/bin",
    };
    expect(loaded({ environment }).config.static.size).toBe(0);
  });
});

describe("time units resolve as in Kafka", () => {
  test.each([
    ["log.retention.hours=1", 3_600_000],
    ["log.retention.hours=1\nlog.retention.minutes=2", 120_000],
    ["log.retention.hours=1\nlog.retention.minutes=2\nlog.retention.ms=3", 3],
    ["log.retention.minutes=-1", -1],
    ["log.retention.ms=-1", -1],
  ])("%j keeps for %d ms", (file, retentionMs) => {
    expect(loaded({ file }).config.topicDefaults.retentionMs).toBe(retentionMs);
  });

  test("log.roll.ms beats log.roll.hours", () => {
    const { topicDefaults } = loaded({ file: "log.roll.hours=2\nlog.roll.jitter.hours=1" }).config;
    expect(topicDefaults).toMatchObject({ segmentMs: 7_200_000, segmentJitterMs: 3_600_000 });
    expect(loaded({ file: "log.roll.hours=2\nlog.roll.ms=5" }).config.topicDefaults.segmentMs).toBe(5);
  });
});

describe("problems", () => {
  test("all are reported at once, each with its place", () => {
    const problems = refused({
      file: "num.partitions=zero\n\nlog.dri=/x\nsegment.bytes=5",
      environment: { MILLRACE_LOG_DIRZ: "/y", MILLRACE_MAX_CONNECTIONS: "-1" },
      args: ["--listeners=nonsense", "--frobnicate=1", "stray", "--num.partitions"],
    });
    expect(problems).toEqual([
      'Cannot use the argument "stray": flags are --name=value, a properties file is --config FILE',
      'Cannot use the flag "--num.partitions": it has no value',
      "Invalid value zero for configuration num.partitions: Not a number of type INT (server.properties line 1)",
      'Cannot use config "log.dri" (server.properties line 3): it is unknown, did you mean "log.dir"',
      'Cannot use config "segment.bytes" (server.properties line 4): it belongs to topics; a broker\'s default for them is "log.segment.bytes"',
      'Cannot use config "log.dirz" (MILLRACE_LOG_DIRZ): it is unknown, did you mean "log.dir"',
      "Invalid value -1 for configuration max.connections: Value must be at least 0 (MILLRACE_MAX_CONNECTIONS)",
      'Cannot use config "frobnicate" (--frobnicate): it is unknown',
      'Cannot use "nonsense" of listeners: it is not of the form NAME://host:port',
    ]);
  });

  test("a file that cannot be read is one", () => {
    const result = loadBrokerConfig({
      args: ["--config", "missing.properties"],
      environment: {},
      readFile: () => {
        throw new Error("no such file");
      },
    });
    expect(result).toEqual({
      kind: "problems",
      problems: ['Cannot read "missing.properties": no such file'],
    });
  });

  test("values that contradict each other are", () => {
    expect(
      refused({
        args: [
          "--node.id=1",
          "--broker.id=2",
          "--process.roles=controller",
          "--group.min.session.timeout.ms=5000",
          "--group.max.session.timeout.ms=4000",
          "--replica.selector.class=com.example.Selector",
          "--queued.max.request.bytes=1000",
          "--log.retention.ms=0",
          "--log.roll.ms=0",
          "--max.connections.per.ip.overrides=junk",
        ],
      }),
    ).toEqual([
      "Cannot use broker.id 2: node.id is 1, and both name this node",
      'Cannot open "PLAINTEXT://127.0.0.1:9092": controller.listener.names does not name it, and process.roles lack "broker"',
      "Cannot use group.min.session.timeout.ms: it is larger than group.max.session.timeout.ms",
      "Cannot use com.example.Selector as replica.selector.class: there is org.apache.kafka.common.replica.RackAwareReplicaSelector alone",
      "Cannot use queued.max.request.bytes: it is smaller than socket.request.max.bytes",
      "Cannot use log.retention.ms 0: it must be -1 for never, or at least 1",
      "Cannot use log.roll.ms: it must be at least 1",
      "Cannot start node 1 with process.roles=controller: neither controller.quorum.voters nor controller.quorum.bootstrap.servers names a controller",
      'Cannot use "junk" of max.connections.per.ip.overrides: it is not address:count',
    ]);
  });
});

test("a password is taken and shown in no message", () => {
  const { config } = loaded({ file: "ssl.keystore.password=hush" });
  expect(config.static.get("ssl.keystore.password")).toBe("hush");
});

test("configs for one listener and for plug-ins have no effect, and are named", () => {
  const { notes } = loaded({ file: "listener.name.plaintext.ssl.client.auth=none\nrsm.config.bucket=b" });
  expect(notes.withoutEffect).toEqual(["listener.name.plaintext.ssl.client.auth", "rsm.config.bucket"]);
});

test("of several log directories the first is used, which is said", () => {
  const { config, notes } = loaded({ file: "log.dirs=/a, /b,/c" });
  expect(config.logDirectory).toBe("/a");
  expect(notes.warnings).toEqual(['log.dirs names 3 directories: only the first, "/a", is used']);
});

test("limits for single addresses are read, IPv6 ones too", () => {
  const { config } = loaded({ args: ["--max.connections.per.ip.overrides=10.0.0.1:5, ::1:7"] });
  expect([...config.maxConnectionsPerIpOverrides]).toEqual([
    ["10.0.0.1", 5],
    ["::1", 7],
  ]);
});

test("any text for any config gives a config or problems, and never an exception", () => {
  const text = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.constantFrom(
      "",
      "-1",
      "0",
      "true",
      "a,b",
      "PLAINTEXT://:1",
      "9223372036854775807",
      "broker",
      "A:PLAINTEXT",
    ),
  );
  const setting = fc.tuple(fc.constantFrom(...brokerConfigs.keys()), text);
  fc.assert(
    fc.property(fc.array(setting, { maxLength: 8 }), (settings) => {
      const result = load({ args: settings.map(([name, value]) => `--${name}=${value}`) });
      if (result.kind === "problems") expect(result.problems.length).toBeGreaterThan(0);
      else expect(result.kind).toBe("config");
    }),
    { numRuns: 500 },
  );
});

test("--help asks for the help, whatever else is there", () => {
  expect(load({ args: ["--nonsense", "--help"] })).toEqual({ kind: "help" });
});

interface Sources {
  readonly file?: string;
  readonly environment?: Record<string, string>;
  readonly args?: readonly string[];
}

function load({ file, environment = {}, args = [] }: Sources): LoadedBrokerConfig {
  return loadBrokerConfig({
    args: file === undefined ? args : ["--config", "server.properties", ...args],
    environment,
    readFile: () => file ?? "",
    hostName: "broker.example",
  });
}

function loaded(sources: Sources): { config: BrokerConfig; notes: LoadNotes } {
  const result = load(sources);
  if (result.kind !== "config") throw new Error(JSON.stringify(result));
  return result;
}

function refused(sources: Sources): readonly string[] {
  const result = load(sources);
  if (result.kind !== "problems") throw new Error(`Expected problems, got ${result.kind}`);
  return result.problems;
}
