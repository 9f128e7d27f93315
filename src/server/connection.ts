import type { Clock } from "../runtime/clock.ts";
import type { Socket } from "../runtime/network.ts";
import type { ConnectionCounts } from "./connection-counts.ts";
import { FrameReader } from "./frame-reader.ts";
import type { FrameSlabs } from "./frame-slabs.ts";
import type { Reader, RequestMemory } from "./request-memory.ts";

/** The peer of a request, as handlers and logs know it. */
export interface ConnectionFacts {
  readonly id: number;
  readonly remoteAddress: string;
  /** Name of the listener that accepted it. */
  readonly listenerName: string;
  /** Aborted when the connection ends or is about to: long polls give up. */
  readonly closed: AbortSignal;
}

/** The encoded response frame as a gather list; undefined where the protocol wants none (acks=0). */
export type ResponseFrame = readonly Uint8Array[] | undefined;

/** Answers a frame. A throw or rejection closes the connection. */
export interface FrameHandler {
  answer(frame: Buffer, connection: ConnectionFacts): ResponseFrame | Promise<ResponseFrame>;
  /**
   * Whether it is a Produce request: its bytes are kept for as long as its records are cached, and it may be begun
   * while others of its kind, and only those, are still being answered.
   */
  carriesRecords(frame: Buffer): boolean;
}

export interface ConnectionOptions {
  readonly id: number;
  readonly socket: Socket;
  readonly listenerName: string;
  readonly handler: FrameHandler;
  readonly memory: RequestMemory;
  /** The server's, in which the requests with records of all connections lie. */
  readonly slabs: FrameSlabs;
  /** The server's, which all connections add to. */
  readonly counts: ConnectionCounts;
  readonly clock: Clock;
  readonly requestBytesMax: number;
  readonly idleMsMax: number;
  readonly onClose: (connection: Connection, reason: ConnectionEnd) => void;
}

/** Why a connection ended. */
export type ConnectionEnd =
  | { readonly kind: "peer"; readonly error?: Error }
  | { readonly kind: "idle" }
  | { readonly kind: "shutdown" }
  | { readonly kind: "failed"; readonly error: unknown };

/** Requests that one connection may have waiting before it stops reading. */
const waitingRequestsMax = 64;
/** Response bytes that a peer may leave untaken before its next request is begun. */
const unsentBytesMax = 1 << 20;

interface Exchange {
  readonly frame: Buffer;
  readonly overlaps: boolean;
  state: "waiting" | "begun" | "answered";
  response: ResponseFrame;
}

/**
 * One client: frames in, responses out in the order of the requests.
 *
 * As in Kafka a request is begun when the one before it is answered, so that a client sees its own
 * effects. Produce behind produce is the exception: proposals are ordered when begun and overlapping them
 * lets one journal write carry several.
 */
export class Connection implements Reader {
  readonly facts: ConnectionFacts;
  readonly #options: ConnectionOptions;
  readonly #reader: FrameReader;
  readonly #exchanges: Exchange[] = [];
  readonly #closed = new AbortController();
  #lastActiveMs: number;
  #isPaused = false;
  #isClosed = false;
  #isDraining = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#lastActiveMs = options.clock.monotonicMs();
    this.facts = {
      id: options.id,
      remoteAddress: options.socket.remoteAddress,
      listenerName: options.listenerName,
      closed: this.#closed.signal,
    };
    this.#reader = new FrameReader({
      sizeBytesMax: options.requestBytesMax,
      slabs: options.slabs,
      isSlabbed: (frame) => options.handler.carriesRecords(frame),
      onFrame: (frame) => this.#queue(frame),
    });
    options.socket.listen({
      data: (chunk) => this.#receive(chunk),
      drain: () => this.#advance(),
      close: (error) => this.#end(error ? { kind: "peer", error } : { kind: "peer" }),
    });
  }

  /** Ends the connection when nothing has moved on it for too long. */
  closeIfIdle(nowMs: number): void {
    if (this.#exchanges.length > 0 && this.#options.socket.unsentBytes === 0) return;
    if (nowMs - this.#lastActiveMs > this.#options.idleMsMax) this.#end({ kind: "idle" });
  }

  /** Answers what has been begun, takes nothing new, then ends. */
  drain(): void {
    if (this.#isClosed) return;
    this.#isDraining = true;
    this.#pause();
    this.#closed.abort();
    const begun = this.#exchanges.findIndex((exchange) => exchange.state === "waiting");
    if (begun >= 0) this.#release(this.#exchanges.splice(begun));
    this.#advance();
  }

  close(): void {
    this.#end({ kind: "shutdown" });
  }

  giveUp(): void {
    this.#end({ kind: "failed", error: new Error("The requests of all connections are over their memory") });
  }

  resumeReading(): void {
    if (this.#isClosed || this.#isDraining || !this.#isPaused) return;
    this.#isPaused = false;
    this.#options.socket.resume();
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosed || this.#isDraining) return;
    this.#lastActiveMs = this.#options.clock.monotonicMs();
    this.#options.counts.receivedBytes += chunk.length;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#end({ kind: "failed", error });
      return;
    }
    this.#options.memory.holdBegun(this, this.#reader.partialBytes);
    this.#advance();
    if (this.#isClosed) return;
    if (this.#options.memory.isOver) {
      this.#pause();
      this.#options.memory.waitForRoom(this);
    } else if (this.#exchanges.length >= waitingRequestsMax) {
      this.#pause();
    }
  }

  #queue(frame: Buffer): void {
    const { memory, handler } = this.#options;
    memory.take(frame.length);
    this.#exchanges.push({
      frame,
      overlaps: handler.carriesRecords(frame),
      state: "waiting",
      response: undefined,
    });
  }

  /** Sends what is answered at the head, begins what may be begun. */
  #advance(): void {
    if (this.#isClosed) return;
    this.#sendAnswered();
    if (this.#isDraining && this.#exchanges.length === 0) {
      this.#options.socket.end();
      // What the peer still sends is dropped, and its end has to be seen.
      this.#options.socket.resume();
      return;
    }
    let allOverlap = true;
    for (const exchange of [...this.#exchanges]) {
      const isFirst = exchange === this.#exchanges[0];
      allOverlap &&= exchange.overlaps;
      if (exchange.state !== "waiting") {
        if (!allOverlap) break;
        continue;
      }
      if (!isFirst && !allOverlap) break;
      if (this.#options.socket.unsentBytes > unsentBytesMax) break;
      this.#begin(exchange);
      if (this.#isClosed) return;
    }
  }

  #begin(exchange: Exchange): void {
    exchange.state = "begun";
    try {
      const answer = this.#options.handler.answer(exchange.frame, this.facts);
      if (answer instanceof Promise) {
        answer.then(
          (response) => this.#answered(exchange, response),
          (error: unknown) => this.#end({ kind: "failed", error }),
        );
      } else {
        this.#answered(exchange, answer);
      }
    } catch (error) {
      this.#end({ kind: "failed", error });
    }
  }

  #answered(exchange: Exchange, response: ResponseFrame): void {
    exchange.state = "answered";
    exchange.response = response;
    if (exchange === this.#exchanges[0]) this.#options.clock.soon(() => this.#advance());
  }

  #sendAnswered(): void {
    const answered: Exchange[] = [];
    while (this.#exchanges[0]?.state === "answered") {
      const exchange = this.#exchanges.shift();
      if (exchange) answered.push(exchange);
    }
    if (answered.length === 0) return;
    const chunks = answered.flatMap((exchange) => exchange.response ?? []);
    if (chunks.length > 0) this.#options.socket.write(chunks);
    for (const { length } of chunks) this.#options.counts.sentBytes += length;
    this.#lastActiveMs = this.#options.clock.monotonicMs();
    this.#release(answered);
    if (this.#isPaused && this.#exchanges.length < waitingRequestsMax / 2) {
      this.#options.memory.waitForRoom(this);
    }
  }

  #release(exchanges: readonly Exchange[]): void {
    for (const { frame } of exchanges) this.#options.memory.give(frame.length);
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#options.socket.pause();
  }

  #end(reason: ConnectionEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.memory.leave(this);
    this.#release(this.#exchanges.splice(0));
    this.#closed.abort();
    this.#options.socket.destroy();
    this.#options.onClose(this, reason);
  }
}
