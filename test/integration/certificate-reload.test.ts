import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { bridgeTo } from "../support/bridge.ts";
import { Authority, type Certificate } from "../support/certificates.ts";
import { GrpcClient, grpcServer } from "../support/grpc.ts";
import { RecordingLog } from "../support/recording-log.ts";

// Certificates are renewed while the bridge runs, on either side.

const NO_UPSTREAM = "127.0.0.1:1";

/** Puts a certificate where the bridge looks, as renewing tools do: at once, by renaming. */
function install({ cert, key }: Certificate, at: { cert: string; key: string }): void {
  for (const [from, to] of [
    [key, at.key],
    [cert, at.cert],
  ] as const) {
    copyFileSync(from, `${to}.new`);
    renameSync(`${to}.new`, to);
  }
}

/** The subject of the certificate that new clients are shown. */
async function shown(t: TestContext, address: string): Promise<string | string[] | undefined> {
  const [host, port] = address.split(":");
  const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  return socket.getPeerCertificate().subject.CN;
}

test("clients are shown the new certificate; a broken one leaves the old in use", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const authority = new Authority(t);
  const at = { cert: join(authority.folder, "in-use.pem"), key: join(authority.folder, "in-use-key.pem") };
  install(authority.issue("first"), at);
  const log = new RecordingLog();
  const { address } = await bridgeTo(t, NO_UPSTREAM, { tls: at }, { log: log.log });
  assert.equal(await shown(t, address), "first");

  install(authority.issue("second"), at);
  t.mock.timers.tick(5_000);
  await log.line(/certificate was read again/);
  assert.equal(await shown(t, address), "second");

  writeFileSync(at.cert, "-----BEGIN NONSENSE-----\n");
  t.mock.timers.tick(5_000);
  const { level, reason } = await log.line(/the old one stays/);
  assert.equal(level, "error");
  assert.match(reason!, /in-use\.pem/);
  assert.equal(await shown(t, address), "second");

  install(authority.issue("third"), at);
  t.mock.timers.tick(5_000);
  assert.equal(await shown(t, address), "third");
});

test("a connection made before goes on with the certificate it has seen", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const authority = new Authority(t);
  const at = { cert: join(authority.folder, "in-use.pem"), key: join(authority.folder, "in-use-key.pem") };
  install(authority.issue("first"), at);
  const upstream = await grpcServer(t, { Unary: (call, done) => done(null, call.request) });
  const { address } = await bridgeTo(t, upstream, { tls: at });
  const client = new GrpcClient(t, address, grpc.credentials.createSsl(authority.own.pem.cert), {
    "grpc.ssl_target_name_override": "localhost",
  });
  assert.equal((await client.call("Unary", [Buffer.from("before")])).code, 0);
  install(new Authority(t, "nobody the client trusts").issue("second"), at);
  t.mock.timers.tick(5_000);
  assert.equal(await shown(t, address), "second");
  assert.equal((await client.call("Unary", [Buffer.from("after")])).code, 0);
});

test("the upstream is shown the new certificate, and judged by the new authorities, from the next connection on", async (t) => {
  const authority = new Authority(t);
  const at = { cert: join(authority.folder, "in-use.pem"), key: join(authority.folder, "in-use-key.pem") };
  const ca = join(authority.folder, "in-use-ca.pem");
  install(authority.issue("first"), at);
  copyFileSync(authority.own.cert, ca);
  const { pem } = authority.issue("farm");
  const upstream = await grpcServer(
    t,
    {
      Unary: (call, done) =>
        done(null, Buffer.from(String(call.getAuthContext().sslPeerCertificate?.subject.CN))),
    },
    {
      credentials: grpc.ServerCredentials.createSsl(
        authority.own.pem.cert,
        [{ private_key: pem.key, cert_chain: pem.cert }],
        true,
      ),
    },
  );
  const { address } = await bridgeTo(t, upstream, { upstream: { tls: { ca, ...at } } });
  // A client of its own gets an upstream connection of its own.
  const ask = () => new GrpcClient(t, address).call("Unary", [Buffer.alloc(0)]);
  assert.deepEqual((await ask()).messages.map(String), ["first"]);

  install(authority.issue("second"), at);
  assert.deepEqual((await ask()).messages.map(String), ["second"]);

  copyFileSync(new Authority(t, "another").own.cert, ca);
  const { code, details } = await ask();
  assert.equal(code, grpc.status.UNAVAILABLE);
  assert.match(details, /self-signed certificate in certificate chain|unable to verify/);
});
