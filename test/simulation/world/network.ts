import type { DialOptions, PeerNetwork } from "#raft/transport/network.ts";
import type { Listener, ListenOptions, Network, Socket } from "#src/runtime/network.ts";
import type { Links } from "./links.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { SimulatedSocket } from "./socket.ts";
import type { Trace } from "./trace.ts";

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly trace: Trace;
  readonly random: Random;
}

interface Acceptor {
  readonly process: SimulatedProcess;
  readonly accept: (socket: Socket) => void;
}

/** A program on a host, as the network knows it. */
export interface Endpoint {
  readonly host: string;
  readonly process: SimulatedProcess;
}

/** How often a connection attempt is repeated while nothing comes back, in µs. */
const connectAgainUs = 1_000_000;
const connectAttemptsMax = 8;

/** All hosts and the connections between them. */
export class SimulatedNetwork {
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly trace: Trace;
  readonly #random: Random;
  readonly #acceptors = new Map<string, Acceptor>();
  readonly #sockets = new Set<SimulatedSocket>();
  readonly #downHosts = new Set<string>();
  #nextPort = 40_000;

  constructor({ scheduler, links, trace, random }: NetworkOptions) {
    this.scheduler = scheduler;
    this.links = links;
    this.trace = trace;
    this.#random = random;
  }

  /** The port that a broker on this host gets. */
  portOf({ host, process }: Endpoint): Network {
    return {
      listen: async (options: ListenOptions, accept): Promise<Listener> => {
        const port = options.port || this.#nextPort++;
        const address = addressOf({ host, port });
        if (this.#acceptors.has(address)) throw new Error(`Cannot listen on "${address}": it is taken`);
        const acceptor = { process, accept };
        this.#acceptors.set(address, acceptor);
        return {
          port,
          close: async () => {
            if (this.#acceptors.get(address) === acceptor) this.#acceptors.delete(address);
          },
        };
      },
    };
  }

  /** How a broker on this host reaches the others, and they it. */
  peersOf(endpoint: Endpoint): PeerNetwork {
    const { listen } = this.portOf(endpoint);
    return { listen, dial: (options) => this.#dial(endpoint, options) };
  }

  /** Connects a client; undefined where the connection was refused. Waits while nothing comes back, up to some time. */
  connect(from: Endpoint, to: ListenOptions): Promise<SimulatedSocket | undefined> {
    return new Promise((resolve) => this.#attempt(from, to, resolve, 1));
  }

  /** Hosts answer for their dead processes as long as they have power. */
  isUp(host: string): boolean {
    return !this.#downHosts.has(host);
  }

  setPower(host: string, isOn: boolean): void {
    if (isOn) this.#downHosts.delete(host);
    else this.#downHosts.add(host);
  }

  /** A process is gone: what listened is closed, its peers are told where its host still can. */
  bury(process: SimulatedProcess): void {
    for (const [address, acceptor] of this.#acceptors) {
      if (acceptor.process === process) this.#acceptors.delete(address);
    }
    for (const socket of [...this.#sockets]) {
      if (socket.process === process) socket.abandon(this.isUp(socket.host));
    }
  }

  /** Breaks connections for both ends, each with a probability. */
  breakSome(probability: number): void {
    for (const socket of [...this.#sockets]) {
      if (this.#random.chance(probability / 2)) socket.reset();
    }
  }

  /** Breaks a host's connections with some others. */
  hangUp(host: string, isOther: (host: string) => boolean): void {
    for (const socket of [...this.#sockets]) {
      if (socket.host === host && isOther(socket.remoteAddress)) socket.reset();
    }
  }

  /** For sockets. */
  forget(socket: SimulatedSocket): void {
    this.#sockets.delete(socket);
  }

  /** For sockets: something reaches a process after a delay of the network. */
  after(place: { process: SimulatedProcess; label: string }, run: () => void): void {
    this.scheduler.schedule({ afterUs: this.links.delayUs(), ...place }, run);
  }

  async #dial(from: Endpoint, { host, port, signal }: DialOptions): Promise<SimulatedSocket> {
    const cannot = (reason: string) => new Error(`Cannot connect to ${host}:${port}: ${reason}`);
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(cannot("it was given up"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const connected = this.connect(from, { host, port });
    try {
      const socket = await Promise.race([connected, aborted.promise]);
      if (!socket) throw cannot("nobody listens there");
      return socket;
    } catch (error) {
      void connected.then((socket) => socket?.destroy());
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #attempt(
    from: Endpoint,
    to: ListenOptions,
    resolve: (socket: SimulatedSocket | undefined) => void,
    attempt: number,
  ): void {
    const { scheduler, links } = this;
    const roundTripUs = links.delayUs() + links.delayUs();
    scheduler.schedule({ afterUs: roundTripUs, process: undefined, label: "connect" }, () => {
      if (!from.process.isAlive) return;
      const answer = (socket: SimulatedSocket | undefined) =>
        scheduler.schedule({ afterUs: 0, process: from.process, label: "connected" }, () => resolve(socket));
      const isCut = links.isCut(from.host, to.host) || links.isCut(to.host, from.host);
      if (isCut || !this.isUp(to.host)) {
        if (attempt >= connectAttemptsMax) answer(undefined);
        else {
          scheduler.schedule({ afterUs: connectAgainUs, process: undefined, label: "connect" }, () =>
            this.#attempt(from, to, resolve, attempt + 1),
          );
        }
        return;
      }
      const acceptor = this.#acceptors.get(addressOf(to));
      answer(acceptor && this.#join(from, to, acceptor));
    });
  }

  #join(from: Endpoint, to: ListenOptions, { process, accept }: Acceptor): SimulatedSocket {
    const client = new SimulatedSocket(this, { ...from, remoteAddress: to.host });
    const server = new SimulatedSocket(this, { host: to.host, process, remoteAddress: from.host });
    SimulatedSocket.join(client, server);
    this.#sockets.add(client);
    this.#sockets.add(server);
    this.scheduler.schedule({ afterUs: 0, process, label: "accept" }, () => {
      if (!server.isClosed) accept(server);
    });
    return client;
  }
}

function addressOf({ host, port }: ListenOptions): string {
  return `${host}:${port}`;
}
