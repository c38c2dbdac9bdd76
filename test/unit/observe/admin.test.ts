import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { StartError } from "../../../src/config/start-error.ts";
import type { Address } from "../../../src/config/types.ts";
import { type Admin, type AdminSources, startAdmin } from "../../../src/observe/admin.ts";

const ANYWHERE: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

async function withAdmin(
  sources: Partial<AdminSources>,
  use: (admin: Admin) => Promise<void>,
  at = ANYWHERE,
) {
  const admin = await startAdmin(at, {
    ready: () => ({ ok: true, reason: "serving" }),
    metrics: () => "some_metric 1\n",
    ...sources,
  });
  try {
    await use(admin);
  } finally {
    await admin.stop();
  }
}

async function get(admin: Admin, path: string, method = "GET"): Promise<[status: number, body: string]> {
  const response = await fetch(`http://${admin.address}${path}`, { method });
  return [response.status, await response.text()];
}

test("live, ready and metrics answer", () =>
  withAdmin({}, async (admin) => {
    assert.deepEqual(await get(admin, "/live"), [200, "live\n"]);
    assert.deepEqual(await get(admin, "/ready?verbose"), [200, "ready: serving\n"]);
    assert.deepEqual(await get(admin, "/metrics"), [200, "some_metric 1\n"]);
    assert.deepEqual(await get(admin, "/metrics", "HEAD"), [200, ""]);
  }));

test("a bridge that is not ready says why", () =>
  withAdmin({ ready: () => ({ ok: false, reason: "draining" }) }, async (admin) => {
    assert.deepEqual(await get(admin, "/ready"), [503, "not ready: draining\n"]);
    assert.deepEqual(await get(admin, "/live"), [200, "live\n"]);
  }));

test("other paths and methods are refused", () =>
  withAdmin({}, async (admin) => {
    assert.deepEqual(await get(admin, "/"), [404, "try /live, /ready or /metrics\n"]);
    assert.deepEqual(await get(admin, "/metrics", "POST"), [405, "only GET and HEAD\n"]);
  }));

test("metrics that cannot be had are a 500, and the listener goes on", () =>
  withAdmin({ metrics: () => Promise.reject(new Error("a worker is gone")) }, async (admin) => {
    assert.deepEqual(await get(admin, "/metrics"), [500, "Error: a worker is gone\n"]);
    assert.equal((await get(admin, "/live"))[0], 200);
  }));

test("it listens on a Unix socket too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "admin-"));
  const path = join(folder, "a.sock");
  await withAdmin(
    {},
    async (admin) => {
      assert.equal(admin.address, `unix:${path}`);
      const body = await new Promise<string>((resolve, reject) => {
        const sent = request({ socketPath: path, path: "/live" }, (response) => resolve(text(response)));
        sent.on("error", reject).end();
      });
      assert.equal(body, "live\n");
    },
    { kind: "unix", path },
  );
  rmSync(folder, { recursive: true });
});

test("an address in use is a start error that says what to do", () =>
  withAdmin({}, async (admin) => {
    const port = Number(admin.address.split(":")[1]);
    await assert.rejects(startAdmin({ ...ANYWHERE, port } as Address, {} as AdminSources), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(error.kind, "listen");
      assert.equal(
        error.message,
        `cannot listen on the admin address ${admin.address}: the address is in use. ` +
          "Choose another with --admin, or --admin off",
      );
      return true;
    });
  }));

test("stop cuts a connection that is kept open", async () => {
  const admin = await startAdmin(ANYWHERE, { ready: () => ({ ok: true, reason: "" }), metrics: () => "" });
  await get(admin, "/live");
  const started = performance.now();
  await admin.stop();
  assert.ok(performance.now() - started < 1000);
  await assert.rejects(get(admin, "/live"));
});
