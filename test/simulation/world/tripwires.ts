import { createRequire, syncBuiltinESMExports } from "node:module";

type Functions = Record<string, unknown>;

const require = createRequire(import.meta.url);

/** What must come in through a port. Of the modules, all functions that ask the machine for anything. */
const banned: readonly {
  readonly name: string;
  readonly owner: Functions;
  readonly keys: readonly string[];
}[] = [
  { name: "Date", owner: Date as unknown as Functions, keys: ["now"] },
  { name: "Math", owner: Math as unknown as Functions, keys: ["random"] },
  { name: "performance", owner: performance as unknown as Functions, keys: ["now"] },
  {
    name: "globalThis",
    owner: globalThis as unknown as Functions,
    keys: ["setTimeout", "setInterval", "setImmediate", "fetch"],
  },
  { name: "process", owner: process as unknown as Functions, keys: ["hrtime", "uptime", "exit"] },
  {
    name: "crypto",
    owner: require("node:crypto"),
    keys: ["randomUUID", "randomBytes", "randomInt", "randomFill", "randomFillSync", "getRandomValues"],
  },
  { name: "fs", owner: require("node:fs"), keys: functionsOf(require("node:fs")) },
  { name: "fs/promises", owner: require("node:fs/promises"), keys: functionsOf(require("node:fs/promises")) },
  { name: "net", owner: require("node:net"), keys: ["connect", "createConnection", "createServer"] },
  { name: "http", owner: require("node:http"), keys: ["request", "get", "createServer"] },
  { name: "dns", owner: require("node:dns"), keys: ["lookup"] },
];

function functionsOf(module: Functions): string[] {
  return Object.keys(module).filter((key) => typeof module[key] === "function" && /^[a-z]/.test(key));
}

/** Something in the simulation reached past its ports. */
export class TripwireError extends Error {
  constructor(name: string) {
    super(`Cannot use "${name}" in a simulation: it must come in through a port`);
    this.name = "TripwireError";
  }
}

/**
 * Makes the machine's clocks, randomness, timers, disk and network throw while events of a simulation run. Between
 * events they work, for the test runner needs them.
 */
export class Tripwires implements Disposable {
  readonly #onTrip: (error: TripwireError) => void;
  readonly #restore: (() => void)[] = [];
  #isArmed = false;

  /** `onTrip` hears of it as well, for whoever tripped may swallow the error. */
  constructor(onTrip: (error: TripwireError) => void) {
    this.#onTrip = onTrip;
    for (const { name, owner, keys } of banned) {
      for (const key of keys) this.#guard(`${name}.${key}`, owner, key);
    }
    this.#guardDate();
    syncBuiltinESMExports();
  }

  arm(): void {
    this.#isArmed = true;
  }

  disarm(): void {
    this.#isArmed = false;
  }

  [Symbol.dispose](): void {
    this.disarm();
    for (const restore of this.#restore.reverse()) restore();
    syncBuiltinESMExports();
  }

  #guard(name: string, owner: Functions, key: string): void {
    const real = owner[key];
    if (typeof real !== "function") return;
    const check = () => this.#check(name);
    const guarded = function (this: unknown, ...args: unknown[]): unknown {
      check();
      return Reflect.apply(real, this, args);
    };
    Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(real));
    this.#replace(owner, key, guarded);
  }

  /** `new Date()` asks the clock, `new Date(0)` does not. */
  #guardDate(): void {
    const check = () => this.#check("new Date()");
    const guarded = new Proxy(Date, {
      construct(target, args, newTarget): object {
        if (args.length === 0) check();
        return Reflect.construct(target, args, newTarget);
      },
    });
    this.#replace(globalThis as unknown as Functions, "Date", guarded);
  }

  #replace(owner: Functions, key: string, value: unknown): void {
    const descriptor = Object.getOwnPropertyDescriptor(owner, key);
    if (descriptor && !descriptor.configurable) return;
    Object.defineProperty(owner, key, {
      value,
      writable: true,
      configurable: true,
      enumerable: descriptor?.enumerable ?? false,
    });
    this.#restore.push(() => {
      if (descriptor) Object.defineProperty(owner, key, descriptor);
      // What its prototype has shows again.
      else Reflect.deleteProperty(owner, key);
    });
  }

  #check(name: string): void {
    if (!this.#isArmed) return;
    // The runtime itself may need these to tell of an error.
    this.#isArmed = false;
    const error = new TripwireError(name);
    this.#onTrip(error);
    this.#isArmed = true;
    throw error;
  }
}
