import pino from "pino";
import { expect, test } from "vitest";
import {
  AddressInUseError,
  type HttpHandler,
  type HttpNetwork,
  type HttpResponse,
} from "#src/runtime/http.ts";
import type { BrokerPhase, MetricSources } from "#src/telemetry/metric-sources.ts";
import { StatusPages } from "#src/telemetry/status-pages.ts";
import { FakeClock } from "../runtime/fake-clock.ts";

const address = { host: "127.0.0.1", port: 9644, isExplicit: false };

/** HTTP inside the test. */
class FakeHttp implements HttpNetwork {
  handler: HttpHandler = () => Promise.reject(new Error("nobody serves"));

  async serve(_: unknown, handler: HttpHandler) {
    this.handler = handler;
    return { port: 1234, close: async () => undefined };
  }

  async get(path: string, method = "GET"): Promise<HttpResponse> {
    return this.handler({ method, path });
  }
}

async function openPages({ sources = () => Promise.reject(new Error("no sources")) } = {}) {
  const http = new FakeHttp();
  const world = { phase: "recovering" as BrokerPhase };
  const pages = new StatusPages({
    http,
    clock: new FakeClock(),
    logger: pino({ level: "silent" }),
    phase: () => world.phase,
    sources: sources as () => Promise<MetricSources>,
  });
  expect(await pages.open(address)).toBe(1234);
  return { http, world };
}

test.each(["/health/ready", "/v1/status/ready"])("%s is 200 only while clients are served", async (path) => {
  const { http, world } = await openPages();
  expect(await http.get(path)).toMatchObject({ status: 503, body: '{"status":"recovering"}\n' });
  world.phase = "serving";
  expect(await http.get(path)).toMatchObject({ status: 200, body: '{"status":"ready"}\n' });
  world.phase = "stopping";
  expect(await http.get(path)).toMatchObject({ status: 503, body: '{"status":"stopping"}\n' });
});

test("liveness does not wait for the recovery", async () => {
  const { http } = await openPages();
  expect((await http.get("/health/live")).status).toBe(200);
});

test("unknown paths are 404 and tell what there is, other methods are 405", async () => {
  const { http } = await openPages();
  const unknown = await http.get("/");
  expect(unknown.status).toBe(404);
  expect(unknown.body).toContain("/metrics, /health/live");
  expect(await http.get("/health/live", "POST")).toMatchObject({ status: 405, allow: "GET, HEAD" });
  expect((await http.get("/health/live", "HEAD")).status).toBe(200);
});

test("scrapes at the same time share one reading", async () => {
  let readings = 0;
  const { http } = await openPages({
    sources: () => {
      readings += 1;
      return Promise.reject(new Error("seen"));
    },
  });
  const scrapes = [http.get("/metrics"), http.get("/metrics")];
  await Promise.allSettled(scrapes);
  expect(readings).toBe(1);
  await Promise.allSettled([http.get("/metrics")]);
  expect(readings).toBe(2);
});

test("a default address that is taken is told and done without, one that was set is an error", async () => {
  const lines: string[] = [];
  const taken: HttpNetwork = { serve: (options) => Promise.reject(new AddressInUseError(options)) };
  const pages = new StatusPages({
    http: taken,
    clock: new FakeClock(),
    logger: pino({}, { write: (line) => lines.push(line) }),
    phase: () => "recovering",
    sources: () => Promise.reject(new Error("no sources")),
  });
  expect(await pages.open(address)).toBeUndefined();
  expect(lines.join("")).toContain("127.0.0.1:9644");
  await expect(pages.open({ ...address, isExplicit: true })).rejects.toThrow(AddressInUseError);
});
