/** An address to listen on. */
export interface HostPort {
  /** Empty for every address of the machine; an IPv6 address stands without its brackets. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** Reads `host:port`, `[IPv6]:port` or `:port`; undefined for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([\w.%-]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match && port <= 65_535 ? { host: match[1] ?? match[2] ?? "", port } : undefined;
}

/** `host:port`, with brackets where the host needs them. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
