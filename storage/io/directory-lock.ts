/**
 * Exclusive ownership of a data directory by a unix socket bound inside it.
 *
 * The kernel closes a dead process's socket, so a socket that refuses connections belongs to nobody, and a paused
 * owner still accepts them. Removing a dead socket must not hit a live one that took its name meanwhile; so every
 * candidate binds a name of its own, never used again, and then looks at all others (Lamport's bakery):
 *
 * 1. take a ticket one above all in the directory, and bind `.lock-<ticket>-<pid>-<nonce>`
 * 2. list the directory; remove sockets that refuse, they are dead for ever
 * 3. a live one with a lower name: it owns the directory or is about to decide, so give up
 * 4. a live one with a higher name came at the same time: wait until it says that it owns, or goes away
 *
 * Of two live candidates at least the later to list sees the other, so never two own. The lowest gives way only to
 * an owner, so of many that start at once one gets it. Network file systems are not covered: a socket lives in
 * one kernel.
 */

import assert from "node:assert/strict";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { diskError, systemCode } from "./disk-errors.ts";
import { DiskError } from "./file.ts";

/** Longest socket path that every kernel takes. */
const socketPathBytesMax = 100;

const namePattern = /^\.lock-(\d+)-(\d+)-([\w-]+)$/;

/** A directory that this process owns until it releases it or ends. */
export interface DirectoryLock extends AsyncDisposable {
  release(): Promise<void>;
}

export interface DirectoryLockOptions {
  /** The directory, which exists. */
  directory: string;
  /** Shown to a process that is refused. */
  processId: number;
  /** Never used before, such as a random UUID; letters, digits, _ and -. */
  nonce: string;
}

/** Takes the directory; throws DiskError "busy" naming the owner's process id when another holds it, in whatever process. */
export async function lockDirectory(options: DirectoryLockOptions): Promise<DirectoryLock> {
  const candidate = new Candidate(options);
  try {
    await candidate.enter();
    await candidate.giveWay();
    await candidate.decide();
    return { release: () => candidate.leave(), [Symbol.asyncDispose]: () => candidate.leave() };
  } catch (error) {
    await candidate.leave();
    throw error instanceof DiskError ? error : diskError("lock", options.directory, error);
  }
}

interface Ticket {
  readonly name: string;
  readonly number: number;
  readonly processId: string;
}

class Candidate {
  readonly #directory: string;
  readonly #options: DirectoryLockOptions;
  /** Others that wait for this one's decision, or have just been told. */
  readonly #connections = new Set<Socket>();
  readonly #server: Server;
  #handle: FileHandle | undefined;
  #ticket: Ticket | undefined;
  #isOwner = false;

  constructor(options: DirectoryLockOptions) {
    this.#options = options;
    this.#directory = resolve(options.directory);
    this.#server = createServer((socket) => this.#answer(socket));
    this.#server.unref();
  }

  async enter(): Promise<void> {
    const { processId, nonce } = this.#options;
    this.#handle = await open(this.#directory, constants.O_RDONLY | constants.O_DIRECTORY);
    const others = await this.#tickets();
    const number = others.reduce((highest, other) => Math.max(highest, other.number), 0) + 1;
    const name = `.lock-${number}-${processId}-${nonce}`;
    // A name that others would overlook would lock nothing.
    assert(namePattern.test(name), "a nonce is made of letters, digits, _ and -");
    await listen(this.#server, this.#socketPath(name));
    this.#ticket = { name, number, processId: String(processId) };
  }

  /** Returns once no other candidate is left; throws when one has the directory. */
  async giveWay(): Promise<void> {
    for (const other of await this.#tickets()) {
      if (other.name === this.#ticket?.name) continue;
      const socket = await this.#connect(other);
      if (!socket) continue;
      const isOwned = this.#isBefore(other) || (await saysItOwns(socket));
      socket.destroy();
      if (!isOwned) continue;
      throw this.#busy(`in use by process ${other.processId}`);
    }
  }

  /**
   * Becomes the owner, unless its socket is gone: one who came between bind and listen took it for dead. Who may
   * have done so was there before this one looked around, and has decided by now: it cannot happen any more.
   */
  async decide(): Promise<void> {
    const tickets = await this.#tickets();
    if (!tickets.some(({ name }) => name === this.#ticket?.name)) {
      throw this.#busy("another process is just trying the same");
    }
    this.#isOwner = true;
    for (const socket of this.#connections) socket.end("owner");
  }

  async leave(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    if (this.#server.listening) await new Promise((done) => this.#server.close(done));
    if (this.#ticket) await rm(join(this.#directory, this.#ticket.name), { force: true });
    this.#ticket = undefined;
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  #answer(socket: Socket): void {
    // A candidate that gave up or died is no concern of this one.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#connections.delete(socket));
    socket.unref();
    this.#connections.add(socket);
    if (this.#isOwner) socket.end("owner");
  }

  /** A connection to a live candidate; a dead one's socket is removed. */
  async #connect(other: Ticket): Promise<Socket | undefined> {
    for (;;) {
      try {
        return await connected(this.#socketPath(other.name));
      } catch (error) {
        const code = systemCode(error);
        if (code === "ENOENT") return undefined;
        // It was closed while this connection waited to be accepted: next time it is dead or gone.
        if (code === "ECONNRESET" || code === "EPIPE") continue;
        // Anything but a refusal leaves open whether it lives, such as a process of another user.
        if (code !== "ECONNREFUSED") throw this.#busy(`in use by process ${other.processId}`, error);
        await rm(join(this.#directory, other.name), { force: true });
        return undefined;
      }
    }
  }

  async #tickets(): Promise<Ticket[]> {
    const tickets: Ticket[] = [];
    for (const name of await readdir(this.#directory)) {
      const [, number, processId] = namePattern.exec(name) ?? [];
      if (number && processId) tickets.push({ name, number: Number(number), processId });
    }
    return tickets;
  }

  #isBefore(other: Ticket): boolean {
    const own = this.#ticket;
    if (!own || other.number !== own.number) return other.number < (own?.number ?? 0);
    return other.name < own.name;
  }

  #busy(state: string, cause?: unknown): DiskError {
    return new DiskError("busy", `Cannot lock "${this.#options.directory}": ${state}`, { cause });
  }

  /** Socket paths are short by law of the kernel; through the open directory the name alone counts. */
  #socketPath(name: string): string {
    const path = join(this.#directory, name);
    if (Buffer.byteLength(path) <= socketPathBytesMax || process.platform !== "linux") return path;
    return `/proc/self/fd/${this.#handle?.fd}/${name}`;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(path, () => {
      server.off("error", failed);
      done();
    });
  });
}

function connected(path: string): Promise<Socket> {
  return new Promise((done, failed) => {
    const socket = connect(path, () => done(socket));
    // Stays for the socket's life: once connected a reset only means that the other side is gone.
    socket.on("error", failed);
  });
}

/** Waits for the other side's decision: it answers as the owner, or closes without a word. */
function saysItOwns(socket: Socket): Promise<boolean> {
  return new Promise((done) => {
    let answered = false;
    socket.on("data", () => {
      answered = true;
    });
    socket.on("close", () => done(answered));
  });
}
