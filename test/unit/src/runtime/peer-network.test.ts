import { connect as connectTcp, type Socket as NodeSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, test } from "vitest";
import type { ListenFailure, PeerSocket } from "#raft/transport/network.ts";
import { peerNetwork } from "#src/runtime/peer-network.ts";
import { makeCertificates } from "../../../contracts/certificates.ts";

const certificates = makeCertificates();
const others = makeCertificates();

/** Sockets and servers that Node keeps open in this process; pipes are the test runner's. */
function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^TCP|^TLS/.test(name));
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !condition(); turn++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

function listenTo(socket: PeerSocket): { received: Buffer[]; closed: Promise<Error | undefined> } {
  const received: Buffer[] = [];
  const closed = new Promise<Error | undefined>((resolve) => {
    const data = (chunk: Buffer) => received.push(Buffer.from(chunk));
    socket.listen({ data, drain: () => undefined, close: resolve });
  });
  return { received, closed };
}

describe.each([["in the clear"], ...(certificates ? [["with TLS"]] : [])])("peers %s", (manner) => {
  const network = peerNetwork(manner === "with TLS" ? certificates : undefined);

  test("exchange bytes, of which none gets lost before somebody listens", async () => {
    const accepted = Promise.withResolvers<PeerSocket>();
    const listener = await network.listen({ host: "localhost", port: 0 }, accepted.resolve);
    const { signal } = new AbortController();
    const near = await network.dial({ host: "localhost", port: listener.port, signal });
    near.write([Buffer.from("early "), Buffer.from("bird")]);
    const far = await accepted.promise;
    far.write([Buffer.from("worm")]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [nearSide, farSide] = [listenTo(near), listenTo(far)];
    await until(() => farSide.received.length > 0 && nearSide.received.length > 0);
    expect([Buffer.concat(farSide.received).toString(), Buffer.concat(nearSide.received).toString()]).toEqual(
      ["early bird", "worm"],
    );
    near.end();
    await Promise.all([nearSide.closed, farSide.closed, listener.close()]);
    expect(openHandles()).toEqual([]);
  });

  test("are told where nobody listens, and can give up", async () => {
    const listener = await network.listen({ host: "127.0.0.1", port: 0 }, () => undefined);
    await listener.close();
    const dial = (signal: AbortSignal) => network.dial({ host: "127.0.0.1", port: listener.port, signal });
    await expect(dial(new AbortController().signal)).rejects.toThrow(
      /^Cannot connect to 127.0.0.1:\d+: .*ECONNREFUSED/,
    );
    await expect(dial(AbortSignal.abort())).rejects.toThrow(/^Cannot connect to/);
    await until(() => openHandles().length === 0);
  });
});

describe.skipIf(!certificates || !others)("the port for peers with TLS", () => {
  test.each<[string, (port: number) => NodeSocket]>([
    [
      "who shows no certificate",
      (port) => connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }),
    ],
    [
      "who shows one of another authority",
      (port) =>
        connectTls({
          ...{ host: "127.0.0.1", port, rejectUnauthorized: false },
          ...(others && { key: others.key, cert: others.certificate }),
        }),
    ],
    [
      "who does not speak TLS",
      (port) => {
        const socket = connectTcp(port, "127.0.0.1");
        socket.write("GET / HTTP/1.1\r\n\r\n");
        return socket;
      },
    ],
  ])("keeps out %s, and says so", async (_, connect) => {
    const failures: ListenFailure[] = [];
    const accepted: PeerSocket[] = [];
    const onFailure = (failure: ListenFailure) => failures.push(failure);
    const listener = await peerNetwork(certificates).listen(
      { host: "127.0.0.1", port: 0, onFailure },
      (socket) => {
        accepted.push(socket);
      },
    );
    const socket = connect(listener.port)
      .on("error", () => undefined)
      .resume();
    await until(() => failures.length === 1 && socket.closed);
    expect(failures[0]?.remoteAddress).toBe("127.0.0.1");
    expect(accepted).toEqual([]);
    await listener.close();
    await until(() => openHandles().length === 0);
  });

  test("closes at once although somebody has not finished a handshake", async () => {
    const listener = await peerNetwork(certificates).listen({ host: "127.0.0.1", port: 0 }, () => undefined);
    const socket = connectTcp(listener.port, "127.0.0.1")
      .on("error", () => undefined)
      .resume();
    await new Promise((resolve) => socket.once("connect", resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await listener.close();
    await until(() => socket.closed && openHandles().length === 0);
  });

  test("belongs to nobody whose certificate names another host", async () => {
    const listener = await peerNetwork(certificates).listen({ host: "127.0.0.2", port: 0 }, () => undefined);
    const { signal } = new AbortController();
    const dial = (verifiesHost: boolean) => {
      if (!certificates) throw new Error("there are certificates here");
      const network = peerNetwork({ ...certificates, verifiesHost });
      return network.dial({ host: "127.0.0.2", port: listener.port, signal });
    };
    await expect(dial(true)).rejects.toThrow(/Cannot connect to 127.0.0.2:\d+: .*altnames/);
    (await dial(false)).destroy();
    await listener.close();
  });
});
