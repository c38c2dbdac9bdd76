import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:https";
import { connect as connectTcp } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { bridgeTo } from "../support/bridge.ts";
import { Authority } from "../support/certificates.ts";
import { GrpcClient, grpcServer, type Handlers } from "../support/grpc.ts";
import { httpServer } from "../support/http.ts";
import { request } from "../support/raw-h2/client.ts";
import * as h2 from "../support/raw-h2/frames.ts";
import { RawPeer } from "../support/raw-h2/peer.ts";
import { RecordingLog } from "../support/recording-log.ts";

// TLS towards clients: what each kind of client gets on one port.

const echo: Handlers = { Unary: (call, done) => done(null, call.request) };

/** An address cannot be asked for in SNI, but grpc-js would. */
const BY_NAME = { "grpc.ssl_target_name_override": "localhost" };

interface Port {
  readonly authority: Authority;
  readonly address: string;
  readonly log: RecordingLog;
  /** A TLS connection that the handshake has been tried on. */
  connect(options?: ConnectionOptions): TLSSocket;
}

/** A bridge that speaks TLS, before a gRPC and an HTTP server; `mutual` asks clients for a certificate of the authority. */
async function securePort(t: TestContext, mutual = false): Promise<Port> {
  const authority = new Authority(t);
  const { cert, key } = authority.issue("bridge");
  const web = await httpServer(t, (_, response) => response.end("from the side"));
  const log = new RecordingLog();
  const clientCa = mutual ? { clientCa: authority.own.cert } : {};
  const parts = { tls: { cert, key, ...clientCa }, httpUpstream: web.url };
  const { address } = await bridgeTo(t, await grpcServer(t, echo), parts, { log: log.log });
  const port = Number(address.split(":")[1]);
  return {
    authority,
    address,
    log,
    connect(options = {}) {
      const socket = connectTls({ host: "127.0.0.1", port, ca: authority.own.pem.cert, ...options });
      t.after(() => socket.destroy());
      return socket;
    },
  };
}

/** A raw HTTP/2 client on a TLS connection makes a call. */
async function rawCall(socket: TLSSocket): Promise<number | null> {
  const peer = new RawPeer(socket);
  peer.send(h2.PREFACE, h2.settings());
  peer.sendHeaders(1, request("/test.Shapes/None"), h2.Bit.END_STREAM);
  return (await peer.outcome(1)).grpcStatus;
}

test("a gRPC client with TLS", async (t) => {
  const { authority, address } = await securePort(t);
  const client = new GrpcClient(t, address, grpc.credentials.createSsl(authority.own.pem.cert), BY_NAME);
  const { code, messages } = await client.call("Unary", [Buffer.from("hi")]);
  assert.deepEqual([code, messages], [0, [Buffer.from("hi")]]);
});

test("ALPN h2 and http/1.1 offered: h2 is chosen", async (t) => {
  const { connect } = await securePort(t);
  const socket = connect({ ALPNProtocols: ["http/1.1", "h2"] });
  await once(socket, "secureConnect");
  assert.equal(socket.alpnProtocol, "h2");
  assert.equal(await rawCall(socket), grpc.status.UNIMPLEMENTED);
});

test("ALPN http/1.1 goes to the side lane", async (t) => {
  const { authority, address } = await securePort(t);
  const outgoing = get(`https://${address}/`, { ca: authority.own.pem.cert, agent: false });
  const [answer] = await once(outgoing, "response");
  assert.equal(String(await buffer(answer)), "from the side");
});

test("no ALPN: the first bytes tell", async (t) => {
  const { connect } = await securePort(t);
  const first = connect();
  await once(first, "secureConnect");
  assert.equal(first.alpnProtocol, false);
  assert.equal(await rawCall(first), grpc.status.UNIMPLEMENTED);
  const second = connect();
  second.write("GET / HTTP/1.0\r\n\r\n");
  assert.match(await text(second), /^HTTP\/1\.1 200 .*from the side$/s);
});

test("ALPN with another protocol only ends in an alert", async (t) => {
  const { connect } = await securePort(t);
  const [error] = await once(connect({ ALPNProtocols: ["spdy/3"] }), "error");
  assert.match(String(error), /no application protocol/);
});

test("mutual TLS: only clients of the authority get in", async (t) => {
  const { authority, address, connect, log } = await securePort(t, true);
  const known = authority.issue("client").pem;
  const callWith = (credentials: grpc.ChannelCredentials) =>
    new GrpcClient(t, address, credentials, BY_NAME).call("Unary", [Buffer.from("hi")]);
  const welcome = await callWith(grpc.credentials.createSsl(authority.own.pem.cert, known.key, known.cert));
  assert.equal(welcome.code, 0);
  const reasons: unknown[] = [];
  const stranger = new Authority(t, "another authority").issue("stranger").pem;
  for (const own of [{}, stranger]) {
    log.lines.length = 0;
    const socket = connect({ ALPNProtocols: ["h2"], ...own });
    socket.on("error", () => {}).resume();
    await new Promise((closed) => socket.once("close", closed));
    reasons.push((await log.line(/TLS handshake failed/)).reason);
  }
  assert.deepEqual(reasons, [
    "TLS failed: peer did not return a certificate",
    "its certificate is not accepted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
  ]);
});

test("a client without TLS is cut off, and the log says why", async (t) => {
  const { address, log } = await securePort(t);
  const [host, port] = address.split(":");
  for (const bytes of [h2.PREFACE, Buffer.from("GET / HTTP/1.1\r\n\r\n")]) {
    const socket = connectTcp(Number(port), host);
    socket.on("error", () => {}).resume();
    socket.write(bytes);
    await new Promise((closed) => socket.once("close", closed));
  }
  const { reason, level } = await log.line(/TLS handshake failed/);
  assert.deepEqual([level, reason], ["warn", "it does not speak TLS, which this port requires"]);
});

test("a client with TLS at a plain port gets an alert, and the log says what to change", async (t) => {
  const log = new RecordingLog();
  const { address } = await bridgeTo(t, await grpcServer(t, echo), {}, { log: log.log });
  const [host, port] = address.split(":");
  const [error] = await once(connectTls({ host, port: Number(port), rejectUnauthorized: false }), "error");
  assert.match(String(error), /alert protocol version|wrong version/);
  assert.match((await log.line(/speaks TLS/)).msg, /give it grpc:\/\/, or the bridge a certificate/);
});
