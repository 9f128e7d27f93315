import { formatHostPort } from "./host-port.ts";

/** Kafka's names for how a connection is protected. */
export type SecurityProtocol = "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";

/** One address to listen on, or to tell clients about. */
export interface Listener {
  /** Upper case, as Kafka compares them. */
  readonly name: string;
  /** Empty for every address of the machine; an IPv6 address stands without its brackets. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly securityProtocol: SecurityProtocol;
}

/** The configs that say where a broker is reached. */
export interface ListenerTexts {
  readonly listeners: readonly string[];
  readonly advertisedListeners: readonly string[];
  readonly protocolMap: string;
  /** False where the map is only its default, which knows no controller's listener. */
  readonly isProtocolMapSet: boolean;
  readonly controllerNames: readonly string[];
  /** Whether clients are to be served: a controller alone serves none. */
  readonly isBroker: boolean;
  readonly interBrokerName: string | null;
  /** Advertised for a listener on every address, where nothing is advertised explicitly. */
  readonly hostName: string;
}

export interface Listeners {
  /** What clients connect to. */
  readonly client: readonly Listener[];
  /** Recognised, and not opened by a single node. */
  readonly controller: readonly Listener[];
  /** What a controller's listener is, or would be, called, and how protected. */
  readonly controllerDefault: Pick<Listener, "name" | "securityProtocol">;
  /** What clients are told, one for each client listener that is advertised. */
  readonly advertised: readonly Listener[];
}

/** Resolves listeners as Kafka does; each problem is added to `problems`, and the result is then incomplete. */
export function resolveListeners(texts: ListenerTexts, problems: string[]): Listeners {
  const protocols = parseProtocolMap(texts, problems);
  const parse = (key: string, items: readonly string[]): readonly Listener[] =>
    items.flatMap((item) => parseListener(key, item, protocols, problems));
  const isController = ({ name }: Listener): boolean =>
    texts.controllerNames.some((controller) => controller.toUpperCase() === name);

  const all = parse("listeners", texts.listeners);
  refuseClashes(all, problems);
  const client = all.filter((listener) => !isController(listener));
  refuseOtherRole({ ...texts, all, client }, problems);
  refuseUnserved(client, problems);

  const explicit = parse("advertised.listeners", texts.advertisedListeners);
  const isExplicit = texts.advertisedListeners.length > 0;
  const implied = client.map((listener) => ({ ...listener, host: listener.host || texts.hostName }));
  const advertised = isExplicit ? explicit.filter((listener) => !isController(listener)) : implied;
  refuseUnreachable({ advertised, all, isExplicit }, problems);

  const interBroker = texts.interBrokerName?.toUpperCase();
  if (texts.isBroker && interBroker !== undefined && !advertised.some(({ name }) => name === interBroker)) {
    problems.push(
      `Cannot use inter.broker.listener.name "${interBroker}": no advertised listener has this name`,
    );
  }
  const [firstName = "CONTROLLER"] = texts.controllerNames.map((name) => name.toUpperCase());
  return {
    client,
    controller: all.filter(isController),
    controllerDefault: { name: firstName, securityProtocol: protocols.get(firstName) ?? "PLAINTEXT" },
    advertised,
  };
}

function refuseOtherRole(
  { isBroker, all, client }: Pick<ListenerTexts, "isBroker"> & Record<"all" | "client", readonly Listener[]>,
  problems: string[],
): void {
  if (isBroker && client.length === 0 && all.length > 0) {
    problems.push("Cannot serve clients: every one of listeners is named in controller.listener.names");
  }
  const [other] = client;
  if (isBroker || !other) return;
  problems.push(
    `Cannot open "${formatListener(other)}": controller.listener.names does not name it, and process.roles lack "broker"`,
  );
}

/** A listener as its config writes it. */
export function formatListener(listener: Omit<Listener, "securityProtocol">): string {
  return `${listener.name}://${formatHostPort(listener)}`;
}

function parseListener(
  key: string,
  item: string,
  protocols: ReadonlyMap<string, SecurityProtocol>,
  problems: string[],
): Listener[] {
  const match = /^([^:/]+):\/\/(?:\[([0-9a-fA-F:.%\w]+)\]|([\w.%-]*)):(\d{1,5})$/.exec(item);
  const port = Number(match?.[4]);
  if (!match?.[1] || port > 65_535) {
    problems.push(`Cannot use "${item}" of ${key}: it is not of the form NAME://host:port`);
    return [];
  }
  const name = match[1].toUpperCase();
  const securityProtocol = protocols.get(name);
  if (!securityProtocol) {
    problems.push(
      `Cannot use "${item}" of ${key}: listener.security.protocol.map has no protocol for "${name}"`,
    );
    return [];
  }
  return [{ name, host: match[2] ?? match[3] ?? "", port, securityProtocol }];
}

function parseProtocolMap(texts: ListenerTexts, problems: string[]): ReadonlyMap<string, SecurityProtocol> {
  const map = new Map<string, SecurityProtocol>();
  if (!texts.isProtocolMapSet) {
    for (const name of texts.controllerNames) map.set(name.toUpperCase(), "PLAINTEXT");
  }
  for (const item of texts.protocolMap.split(",").filter((text) => text.trim() !== "")) {
    const [name = "", protocol = "", ...rest] = item.split(":").map((text) => text.trim().toUpperCase());
    if (isSecurityProtocol(protocol) && name !== "" && rest.length === 0) map.set(name, protocol);
    else
      problems.push(`Cannot use "${item.trim()}" of listener.security.protocol.map: it is not NAME:PROTOCOL`);
  }
  return map;
}

function isSecurityProtocol(text: string): text is SecurityProtocol {
  return text === "PLAINTEXT" || text === "SSL" || text === "SASL_PLAINTEXT" || text === "SASL_SSL";
}

function refuseClashes(listeners: readonly Listener[], problems: string[]): void {
  const names = new Set<string>();
  const addresses = new Set<string>();
  for (const listener of listeners) {
    const address = `${listener.host}:${listener.port}`;
    if (names.has(listener.name)) problems.push(`Cannot open two listeners named "${listener.name}"`);
    if (listener.port !== 0 && addresses.has(address)) {
      problems.push(`Cannot open "${formatListener(listener)}": another listener has the same address`);
    }
    names.add(listener.name);
    addresses.add(address);
  }
}

function refuseUnserved(listeners: readonly Listener[], problems: string[]): void {
  for (const listener of listeners) {
    if (listener.securityProtocol === "PLAINTEXT") continue;
    problems.push(
      `Cannot open "${formatListener(listener)}": ${listener.securityProtocol} is not served yet, only PLAINTEXT is`,
    );
  }
}

function refuseUnreachable(
  {
    advertised,
    all,
    isExplicit,
  }: { advertised: readonly Listener[]; all: readonly Listener[]; isExplicit: boolean },
  problems: string[],
): void {
  for (const listener of advertised) {
    const text = formatListener(listener);
    if (!all.some(({ name }) => name === listener.name)) {
      problems.push(`Cannot advertise "${text}": listeners has no listener of this name`);
    }
    if (listener.host === "0.0.0.0" || listener.host === "::") {
      problems.push(
        `Cannot advertise "${text}": no client can connect to that address; set advertised.listeners`,
      );
    }
    if (isExplicit && listener.host === "") problems.push(`Cannot advertise "${text}": it names no host`);
  }
}
