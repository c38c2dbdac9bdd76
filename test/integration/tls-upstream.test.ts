import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import type { UpstreamTls } from "../../src/config/types.ts";
import { bridgeTo } from "../support/bridge.ts";
import { Authority, type Certificate } from "../support/certificates.ts";
import { GrpcClient, grpcServer, type Handlers, type Outcome } from "../support/grpc.ts";
import { serveEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { RawPeer } from "../support/raw-h2/peer.ts";

// TLS towards the upstream: whom the bridge trusts, what it shows, and how it says that something does not fit.

const echo: Handlers = { Unary: (call, done) => done(null, call.request) };

function secureUpstream(
  t: TestContext,
  { pem }: Certificate,
  clientCa: Buffer | null = null,
): Promise<string> {
  const pair = { private_key: pem.key, cert_chain: pem.cert };
  const credentials = grpc.ServerCredentials.createSsl(clientCa, [pair], clientCa !== null);
  return grpcServer(t, echo, { credentials });
}

/** One call through a new bridge. */
async function callThrough(t: TestContext, upstream: string, tls: UpstreamTls | null): Promise<Outcome> {
  const { address } = await bridgeTo(t, upstream, { upstream: { tls } });
  return new GrpcClient(t, address).call("Unary", [Buffer.from("hi")]);
}

async function refusal(t: TestContext, upstream: string, tls: UpstreamTls | null): Promise<string> {
  const { code, details } = await callThrough(t, upstream, tls);
  assert.equal(code, grpc.status.UNAVAILABLE);
  assert.ok(details.startsWith(`cannot reach the upstream ${upstream}: `), details);
  return details;
}

test("an upstream whose authority is known", async (t) => {
  const authority = new Authority(t);
  const upstream = await secureUpstream(t, authority.issue("farm"));
  const { code, messages } = await callThrough(t, upstream, { ca: authority.own.cert });
  assert.deepEqual([code, messages], [0, [Buffer.from("hi")]]);
});

test("an upstream whose authority is not known is refused; --upstream-insecure takes it", async (t) => {
  const upstream = await secureUpstream(t, new Authority(t).issue("farm"));
  assert.match(await refusal(t, upstream, {}), /unable to verify the first certificate|self-signed/);
  assert.equal((await callThrough(t, upstream, { insecureSkipVerify: true })).code, 0);
});

test("the certificate must be for the upstream's host, or for the server name that was given", async (t) => {
  const authority = new Authority(t);
  const upstream = await secureUpstream(t, authority.issue("farm", ["DNS:farm.test"]));
  const ca = authority.own.cert;
  assert.match(await refusal(t, upstream, { ca }), /127\.0\.0\.1/);
  assert.match(await refusal(t, upstream, { ca, serverName: "other.test" }), /other\.test/);
  assert.equal((await callThrough(t, upstream, { ca, serverName: "farm.test" })).code, 0);
});

test("mutual TLS: the upstream sees the bridge's certificate", async (t) => {
  const authority = new Authority(t);
  const upstream = await secureUpstream(t, authority.issue("farm"), authority.own.pem.cert);
  const ca = authority.own.cert;
  const { cert, key } = authority.issue("bridge");
  assert.equal((await callThrough(t, upstream, { ca, cert, key })).code, 0);
  const { code, details } = await callThrough(t, upstream, { ca });
  assert.equal(code, grpc.status.UNAVAILABLE);
  assert.match(details, /: TLS failed: tlsv13 alert certificate required/);
});

interface Handshake {
  readonly servername: string | false;
  readonly alpn: TLSSocket["alpnProtocol"];
}

interface RawUpstream {
  readonly address: string;
  /** The names that were asked for, false for none, and what was agreed on. */
  readonly seen: Handshake[];
  readonly peers: RawPeer[];
}

/** An HTTP/2 echo with TLS options of its own. */
async function rawSecure(t: TestContext, { pem }: Certificate, options: TlsOptions): Promise<RawUpstream> {
  const seen: Handshake[] = [];
  const peers: RawPeer[] = [];
  const server = createServer({ ...pem, ...options }, (socket) => {
    const { servername } = socket as unknown as { servername: string | false };
    seen.push({ servername, alpn: socket.alpnProtocol });
    const peer = new RawPeer(socket, {}, h2.PREFACE);
    t.after(() => peer.close());
    peers.push(peer);
    peer.send(h2.settings());
    serveEcho(peer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen, peers };
}

test("SNI: the server name that was given; none for an address", async (t) => {
  const authority = new Authority(t);
  const certificate = authority.issue("farm", ["DNS:farm.test", "IP:127.0.0.1"]);
  const { address, seen } = await rawSecure(t, certificate, { ALPNProtocols: ["h2"] });
  for (const serverName of ["farm.test", undefined]) {
    seen.length = 0;
    const name = serverName === undefined ? {} : { serverName };
    assert.equal((await callThrough(t, address, { ca: authority.own.cert, ...name })).code, 0);
    assert.deepEqual(seen.at(-1), { servername: serverName ?? false, alpn: "h2" });
  }
});

test(":authority: the server name that was given, with the port", async (t) => {
  const authority = new Authority(t);
  const certificate = authority.issue("farm", ["DNS:farm.test"]);
  const { address, peers } = await rawSecure(t, certificate, { ALPNProtocols: ["h2"] });
  await callThrough(t, address, { ca: authority.own.cert, serverName: "farm.test" });
  const { headers } = peers.at(-1)!.log.find((frame) => frame.headers !== undefined)!;
  const head = new Map(headers);
  const [, port] = address.split(":");
  assert.deepEqual([head.get(":authority"), head.get(":scheme")], [`farm.test:${port}`, "https"]);
});

test("an upstream that speaks HTTP/2 without saying so in ALPN will do", async (t) => {
  const authority = new Authority(t);
  const { address, seen } = await rawSecure(t, authority.issue("farm"), {});
  assert.equal((await callThrough(t, address, { ca: authority.own.cert })).code, 0);
  assert.equal(seen.at(-1)?.alpn, false);
});

test("an upstream that has only HTTP/1 in ALPN is named as such", async (t) => {
  const authority = new Authority(t);
  const { address } = await rawSecure(t, authority.issue("farm"), { ALPNProtocols: ["http/1.1"] });
  assert.match(await refusal(t, address, { ca: authority.own.cert }), /does not speak HTTP\/2 over TLS/);
});

test("TLS to a plain upstream, and no TLS to one that wants it: the message says what to write", async (t) => {
  const plain = await grpcServer(t, echo);
  assert.match(
    await refusal(t, plain, {}),
    /does not speak TLS \(for a plain port write grpc:\/\/HOST:PORT\)/,
  );
  const secure = await secureUpstream(t, new Authority(t).issue("farm"));
  assert.match(await refusal(t, secure, null), /grpcs:\/\/HOST:PORT/);
});
