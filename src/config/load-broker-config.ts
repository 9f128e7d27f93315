import { type BrokerConfig, buildBrokerConfig } from "./broker-config.ts";
import {
  brokerConfigs,
  dynamicOnlyBrokerConfigs,
  isPlugInConfig,
  removedBrokerConfigs,
  withoutListenerPrefix,
} from "./broker-configs.ts";
import { readArguments, readEnvironment, readPropertiesFile, type Setting } from "./config-sources.ts";
import type { ConfigDefinition } from "./definition.ts";
import { noDynamicConfigs } from "./effective-values.ts";
import { nearestName } from "./nearest-name.ts";
import { parseConfigValue } from "./parse-config-value.ts";
import { listenerPrefix } from "./peer-tls.ts";
import { topicConfigs } from "./topic-configs.ts";

/** What a start is made of; the file comes in as a function so that nothing here touches the disk. */
export interface LoadOptions {
  /** The command line without the program. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Throws where the file cannot be read; its message is shown. */
  readonly readFile: (path: string) => string;
  /** What clients are told where a listener is on every address; "localhost" by default. */
  readonly hostName?: string;
}

/** What an operator should learn once, at start. */
export interface LoadNotes {
  /** Kafka's configs that were set and that mean nothing here. */
  readonly withoutEffect: readonly string[];
  /** Whole sentences. */
  readonly warnings: readonly string[];
}

export type LoadedBrokerConfig =
  | { readonly kind: "config"; readonly config: BrokerConfig; readonly notes: LoadNotes }
  | { readonly kind: "problems"; readonly problems: readonly string[] }
  | { readonly kind: "help" };

/** Reads defaults, properties file, environment and flags, each stronger than the one before; reports all problems. */
export function loadBrokerConfig(options: LoadOptions): LoadedBrokerConfig {
  const problems: string[] = [];
  const { settings, files, wantsHelp } = readArguments(options.args, problems);
  if (wantsHelp) return { kind: "help" };

  const sources = [
    ...files.map((path) => readPropertiesFile(path, options.readFile, problems)),
    readEnvironment(options.environment),
    settings,
  ];
  const { texts, ignored } = mergeSources(sources, problems);
  const built = buildBrokerConfig(
    { ...noDynamicConfigs, static: texts },
    { hostName: options.hostName ?? "localhost" },
  );
  if (built.kind === "problems") problems.push(...built.problems);
  if (problems.length > 0 || built.kind === "problems") return { kind: "problems", problems };

  const withoutEffect = [...texts.keys()].filter((name) => !acts(name, built.config));
  return {
    kind: "config",
    config: built.config,
    notes: { withoutEffect: [...withoutEffect, ...ignored].sort(), warnings: warningsAbout(texts) },
  };
}

/** Keys and certificates act where the listener that they are for does. */
function acts(name: string, { quorum }: BrokerConfig): boolean {
  const ofAll = withoutListenerPrefix(name);
  if (brokerConfigs.get(ofAll)?.acts === false) return false;
  if (!ofAll.startsWith("ssl.")) return true;
  return quorum?.tls !== undefined && [ofAll, listenerPrefix(quorum.listener.name) + ofAll].includes(name);
}

/**
 * Names for one thing. A stronger source that uses one of them replaces what weaker sources said under any of them:
 * `--log.retention.hours=1` is not silently beaten by a log.retention.ms of the file.
 */
const families: readonly (readonly string[])[] = [
  ["node.id", "broker.id"],
  ["log.dirs", "log.dir"],
  ["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
  ["log.roll.ms", "log.roll.hours"],
  ["log.roll.jitter.ms", "log.roll.jitter.hours"],
];

/** Lays the sources over each other; invalid and unknown settings become problems and are left out. */
function mergeSources(
  sources: readonly (readonly Setting[])[],
  problems: string[],
): { texts: ReadonlyMap<string, string>; ignored: ReadonlySet<string> } {
  const texts = new Map<string, string>();
  const ignored = new Set<string>();
  for (const source of sources) {
    const settings = acceptable(source, ignored, problems);
    const names = new Set(settings.map(({ name }) => name));
    for (const family of families.filter((members) => members.some((member) => names.has(member)))) {
      for (const member of family) texts.delete(member);
    }
    for (const { name, value } of settings) texts.set(name, value);
  }
  unifyNodeId(texts, problems);
  return { texts, ignored };
}

function acceptable(
  source: readonly Setting[],
  ignored: Set<string>,
  problems: string[],
): readonly Setting[] {
  return source.filter((setting) => {
    const definition = brokerConfigs.get(setting.name) ?? securityConfigOfListener(setting.name);
    if (!definition) {
      if (isKafkasOwn(setting.name)) ignored.add(setting.name);
      else problems.push(unknownProblem(setting));
      return false;
    }
    const parsed = parseConfigValue(definition, setting.value);
    if (parsed.kind === "value") return true;
    problems.push(`${parsed.message} (${setting.origin})`);
    return false;
  });
}

/** The keys and certificates of one listener, which count for more than those for all. */
function securityConfigOfListener(name: string): ConfigDefinition | undefined {
  const ofAll = withoutListenerPrefix(name);
  return ofAll !== name && ofAll.startsWith("ssl.") ? brokerConfigs.get(ofAll) : undefined;
}

function isKafkasOwn(name: string): boolean {
  return (
    removedBrokerConfigs.has(name) ||
    dynamicOnlyBrokerConfigs.has(name) ||
    isPlugInConfig(name) ||
    brokerConfigs.has(withoutListenerPrefix(name))
  );
}

function unknownProblem({ name, origin }: Setting): string {
  const subject = `Cannot use config "${name}" (${origin})`;
  const [ofBroker] = topicConfigs.get(name)?.brokerSynonyms ?? [];
  if (ofBroker) return `${subject}: it belongs to topics; a broker's default for them is "${ofBroker}"`;
  if (topicConfigs.has(name)) return `${subject}: it belongs to topics`;
  const nearest = nearestName(name, brokerConfigs.keys());
  return nearest ? `${subject}: it is unknown, did you mean "${nearest}"` : `${subject}: it is unknown`;
}

/** broker.id and node.id are one number under two names; both are described with it. */
function unifyNodeId(texts: Map<string, string>, problems: string[]): void {
  if (texts.get("broker.id") === "-1") texts.delete("broker.id");
  const nodeId = texts.get("node.id");
  const brokerId = texts.get("broker.id");
  if (nodeId !== undefined && brokerId !== undefined && Number(nodeId) !== Number(brokerId)) {
    problems.push(`Cannot use broker.id ${brokerId}: node.id is ${nodeId}, and both name this node`);
  }
  const id = nodeId ?? brokerId;
  if (id === undefined) return;
  texts.set("node.id", id);
  texts.set("broker.id", id);
}

function warningsAbout(texts: ReadonlyMap<string, string>): readonly string[] {
  const key = texts.has("log.dirs") ? "log.dirs" : "log.dir";
  const [first, ...others] = (texts.get(key) ?? "").split(",").map((directory) => directory.trim());
  if (others.length === 0) return [];
  return [`${key} names ${others.length + 1} directories: only the first, "${first}", is used`];
}
