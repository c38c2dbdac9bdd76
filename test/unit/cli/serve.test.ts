import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { createInterface, type Interface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";

// An upstream that knows one method: a call that begins and never ends, and so holds up a drain.
const upstream = createServer();
upstream.on("stream", (stream: ServerHttp2Stream, headers) => {
  stream.on("error", () => {});
  const known = headers[":path"] === "/test.Service/Forever";
  const head = { ":status": 200, "content-type": "application/grpc" };
  if (known) stream.respond(head);
  else stream.respond({ ...head, "grpc-status": "12" }, { endStream: true });
});
const children: ChildProcess[] = [];
before(async () => {
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
});
after(() => {
  for (const child of children) child.kill("SIGKILL");
  upstream.close();
});

const upstreamAddress = () => `127.0.0.1:${(upstream.address() as AddressInfo).port}`;

function bridge(
  ...args: string[]
): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, ["src/cli/main.ts", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return child as ReturnType<typeof bridge>;
}

interface Started {
  readonly child: ChildProcess;
  readonly lines: Interface;
  readonly line: {
    msg: string;
    listening: string[];
    admin: string | null;
    upstream: string;
    version: string;
  };
}

async function start(...args: string[]): Promise<Started> {
  const child = bridge(
    "--upstream",
    upstreamAddress(),
    "--listen",
    "127.0.0.1:0",
    "--admin",
    "127.0.0.1:0",
    ...args,
  );
  const lines = createInterface(child.stdout);
  const [line] = (await once(lines, "line")) as [string];
  return { child, lines, line: JSON.parse(line) as Started["line"] };
}

async function exitOf(child: ChildProcess): Promise<[code: number | null, signal: string | null]> {
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode];
  return (await once(child, "exit")) as [number | null, string | null];
}

/** Runs a bridge that does not come up. */
async function failure(...args: string[]): Promise<[code: number | null, stderr: string]> {
  const child = bridge(...args);
  const [stderr, [code]] = await Promise.all([text(child.stderr), exitOf(child)]);
  return [code, stderr];
}

/** Opens a call that never ends; resolves when the upstream has begun to answer. */
async function openCall(address: string) {
  const session = connect(`http://${address}`);
  session.on("error", () => {});
  const stream = session.request({
    ":method": "POST",
    ":path": "/test.Service/Forever",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  await once(stream, "response");
  return session;
}

test("the first line says what listens and what the upstream said; SIGTERM ends it with 0", async () => {
  const { child, line } = await start();
  assert.equal(line.msg, "reapi-bridge is up");
  assert.match(line.listening[0]!, /^127\.0\.0\.1:\d+$/);
  assert.match(line.upstream, new RegExp(upstreamAddress()));
  const ready = await fetch(`http://${line.admin}/ready`);
  assert.equal(ready.status, 200);
  child.kill("SIGTERM");
  assert.deepEqual(await exitOf(child), [0, null]);
});

test("SIGINT is as good as SIGTERM", async () => {
  const { child } = await start();
  child.kill("SIGINT");
  assert.deepEqual(await exitOf(child), [0, null]);
});

test("a running call delays the end until the drain is over", async () => {
  const { child, line } = await start("--drain-max", "300ms");
  const session = await openCall(line.listening[0]!);
  const started = performance.now();
  child.kill("SIGTERM");
  assert.deepEqual(await exitOf(child), [0, null]);
  assert.ok(performance.now() - started >= 300);
  session.destroy();
});

for (const [signal, code] of [
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const) {
  test(`a second ${signal} ends it at once with ${code}`, async () => {
    const { child, line, lines } = await start("--drain-max", "1h");
    const session = await openCall(line.listening[0]!);
    child.kill(signal);
    await once(lines, "line");
    child.kill(signal);
    assert.deepEqual(await exitOf(child), [code, null]);
    session.destroy();
  });
}

test("an upstream that is down is no reason not to start", async () => {
  const child = bridge("--upstream", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin", "off");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  assert.match((JSON.parse(line) as Started["line"]).upstream, /127\.0\.0\.1:1/);
  child.kill("SIGTERM");
  assert.deepEqual(await exitOf(child), [0, null]);
});

test("an address in use ends it with 3 and names the address", async () => {
  const taken = upstreamAddress();
  const [code, stderr] = await failure("--upstream", taken, "--listen", taken, "--admin", "off");
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`^reapi-bridge: .*${taken}.*in use`));
});

test("an admin address in use ends it with 3 and names the flag", async () => {
  const taken = upstreamAddress();
  const [code, stderr] = await failure("--upstream", taken, "--listen", "127.0.0.1:0", "--admin", taken);
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`${taken}: the address is in use.*--admin`));
});

test("a bridge that is its own upstream ends with 4", async () => {
  const { child, line } = await start();
  const address = line.listening[0]!;
  child.kill("SIGTERM");
  await exitOf(child);
  const [code, stderr] = await failure("--upstream", address, "--listen", address, "--admin", "off");
  assert.equal(code, 4);
  assert.match(stderr, /leads back to this bridge/);
});
