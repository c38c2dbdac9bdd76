import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { bridgeTo } from "../support/bridge.ts";
import { GrpcClient, grpcServer } from "../support/grpc.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "bridge-sockets-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const hosts = (t: TestContext, address: string) =>
  grpcServer(t, { Unary: (call, done) => done(null, Buffer.from(call.getHost())) }, { address });

test("Unix sockets on both sides", async (t) => {
  const path = folder(t);
  await hosts(t, `unix:${path}/farm.sock`);
  const bridge = await bridgeTo(t, "farm.sock", {
    listen: [{ kind: "unix", path: `${path}/bridge.sock` }],
    upstream: { address: { kind: "unix", path: `${path}/farm.sock` }, display: `unix:${path}/farm.sock` },
  });
  assert.deepEqual(bridge.listening, [`unix:${path}/bridge.sock`]);
  const { code, messages } = await new GrpcClient(t, `unix:${path}/bridge.sock`).call("Unary", [
    Buffer.alloc(0),
  ]);
  // What gRPC clients put into :authority for a socket.
  assert.deepEqual([code, messages.map(String)], [0, ["localhost"]]);
});

test("a Unix socket beside a port, with two threads", async (t) => {
  const path = folder(t);
  const upstream = await hosts(t, "127.0.0.1:0");
  const bridge = await bridgeTo(t, upstream, {
    listen: [
      { kind: "tcp", host: "127.0.0.1", port: 0 },
      { kind: "unix", path: `${path}/bridge.sock` },
    ],
    workers: 2,
  });
  for (const address of bridge.listening) {
    assert.equal((await new GrpcClient(t, address).call("Unary", [Buffer.alloc(0)])).code, 0);
  }
});

test("a socket that is not there: the path and the reason", async (t) => {
  const path = `${folder(t)}/none.sock`;
  const { address } = await bridgeTo(t, "none", {
    upstream: { address: { kind: "unix", path }, display: `unix:${path}` },
  });
  const { code, details } = await new GrpcClient(t, address).call("Unary", [Buffer.alloc(0)]);
  assert.deepEqual(
    [code, details],
    [grpc.status.UNAVAILABLE, `cannot reach the upstream unix:${path}: there is no such socket`],
  );
});

test("a socket that a killed process left behind is taken over", async (t) => {
  const path = `${folder(t)}/bridge.sock`;
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("here"))`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(existsSync(path));
  const bridge = await bridgeTo(t, "127.0.0.1:1", { listen: [{ kind: "unix", path }] });
  assert.deepEqual(bridge.listening, [`unix:${path}`]);
});

test("a socket that somebody listens on, and a file that is no socket, are left alone", async (t) => {
  const path = folder(t);
  const at = (file: string) => ({ listen: [{ kind: "unix", path: `${path}/${file}` }] as const });
  await bridgeTo(t, "127.0.0.1:1", at("bridge.sock"));
  await assert.rejects(bridgeTo(t, "127.0.0.1:1", at("bridge.sock")), /bridge\.sock: the address is in use/);
  writeFileSync(`${path}/notes.txt`, "keep me");
  await assert.rejects(bridgeTo(t, "127.0.0.1:1", at("notes.txt")), /notes\.txt: the address is in use/);
  assert.equal(readFileSync(`${path}/notes.txt`, "utf8"), "keep me");
});
