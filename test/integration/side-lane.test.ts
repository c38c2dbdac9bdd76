import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { bridgeTo } from "../support/bridge.ts";
import { Authority } from "../support/certificates.ts";
import { httpServer, overHttp1, VERSIONS } from "../support/http.ts";
import { dial } from "../support/raw-h2/client.ts";

// Plain HTTP on the gRPC port goes to the HTTP upstream, whichever HTTP the client speaks.

/** No test here makes a gRPC call. */
const NO_GRPC = "127.0.0.1:1";

/** A cache as build tools know it: PUT and GET below any path. */
function cache(): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const entries = new Map<string, Buffer>();
  return async (request, response) => {
    const path = request.url!;
    if (request.method === "PUT") entries.set(path, await buffer(request));
    const entry = entries.get(path);
    response.statusCode = entry === undefined ? 404 : 200;
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.end(request.method === "PUT" ? undefined : (entry ?? "no such entry\n"));
  };
}

async function sideBridge(
  t: TestContext,
  answer: Parameters<typeof httpServer>[1],
  path = "",
): Promise<string> {
  const { url } = await httpServer(t, answer);
  const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream: url + path });
  return address;
}

for (const [version, send] of VERSIONS) {
  test(`${version}: 3 MB up and down, byte for byte`, async (t) => {
    const address = await sideBridge(t, cache());
    const body = Buffer.alloc(3_000_000);
    for (let i = 0; i < body.length; i++) body[i] = (i * 7919) >> 5;
    const path = `/cas/${createHash("sha256").update(body).digest("hex")}`;
    assert.equal((await send(address, path)).status, 404);
    const put = await send(address, path, { method: "PUT", body });
    assert.deepEqual([put.status, put.body.length], [200, 0]);
    const got = await send(address, path);
    assert.equal(got.status, 200);
    assert.ok(got.body.equals(body));
    assert.deepEqual(got.headers["set-cookie"], ["a=1", "b=2"]);
  });

  test(`${version}: 404 and its text are kept; HEAD has no body`, async (t) => {
    const address = await sideBridge(t, cache());
    const missing = await send(address, "/ac/none");
    assert.deepEqual([missing.status, String(missing.body)], [404, "no such entry\n"]);
    const head = await send(address, "/ac/none", { method: "HEAD" });
    assert.deepEqual([head.status, head.body.length], [404, 0]);
  });

  test(`${version}: the upstream sees the request as it was, below the base path`, async (t) => {
    const address = await sideBridge(
      t,
      async (request, response) => {
        const body = await text(request);
        response.setHeader("content-type", "application/json");
        response.end(
          JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }),
        );
      },
      "/base/",
    );
    const answer = await send(address, "/ac/1?x=%20y", {
      method: "POST",
      headers: { authorization: "Bearer t", "x-own": "v", cookie: "a=1; b=2" },
      body: Buffer.from("data"),
    });
    const saw = JSON.parse(String(answer.body)) as {
      method: string;
      url: string;
      body: string;
      headers: Record<string, string>;
    };
    assert.deepEqual([saw.method, saw.url, saw.body], ["POST", "/base/ac/1?x=%20y", "data"]);
    const { authorization, cookie, forwarded } = saw.headers;
    assert.deepEqual([authorization, cookie, saw.headers["x-own"]], ["Bearer t", "a=1; b=2", "v"]);
    assert.equal(forwarded, undefined, "the bridge adds nothing");
  });

  test(`${version}: response trailers are kept`, async (t) => {
    const address = await sideBridge(t, (_, response) => {
      response.writeHead(200, { trailer: "x-checksum" });
      response.write("body");
      response.addTrailers({ "x-checksum": "abc" });
      response.end();
    });
    const { body, trailers } = await send(address, "/");
    assert.deepEqual([String(body), trailers["x-checksum"]], ["body", "abc"]);
  });

  test(`${version}: an upstream that is down is 503 with the reason`, async (t) => {
    const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream: "http://127.0.0.1:1" });
    const { status, body } = await send(address, "/cas/1");
    assert.equal(status, 503);
    assert.match(String(body), /http:\/\/127\.0\.0\.1:1: connect ECONNREFUSED/);
  });

  for (const method of ["GET", "PUT"]) {
    test(`${version}: an upstream that hangs up without an answer to ${method} is 502`, async (t) => {
      const address = await sideBridge(t, (request) => {
        request.on("end", () => request.socket.destroy()).resume();
      });
      const body = method === "PUT" ? { body: Buffer.alloc(100_000) } : {};
      const answer = await send(address, "/cas/1", { method, ...body });
      assert.equal(answer.status, 502);
      assert.match(String(answer.body), /could not forward/);
    });
  }

  test(`${version}: an answer with an impossible status is 502, without its headers`, async (t) => {
    const { server, url } = await httpServer(t, () => {});
    server.removeAllListeners("connection");
    server.on("connection", (socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 099 Odd\r\nx-odd: 1\r\ncontent-length: 2\r\n\r\nok"));
    });
    const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream: url });
    const { status, headers, body } = await send(address, "/");
    assert.deepEqual([status, headers["x-odd"]], [502, undefined]);
    assert.match(String(body), /status 99/);
  });

  test(`${version}: an answer that breaks off is not taken for a whole one`, async (t) => {
    const address = await sideBridge(t, (_, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write("only this", () => response.socket!.destroy());
    });
    await assert.rejects(send(address, "/"));
  });

  test(`${version}: without an HTTP upstream the refusal says what to do`, async (t) => {
    const { address } = await bridgeTo(t, NO_GRPC);
    for (const method of ["GET", "PUT"]) {
      const body = method === "PUT" ? { body: Buffer.alloc(200_000) } : {};
      const answer = await send(address, "/status", { method, ...body });
      assert.equal(answer.status, 501);
      assert.match(String(answer.body), /carries gRPC over HTTP\/2.*--http-upstream http:\/\/HOST:PORT/s);
    }
  });
}

test("an HTTP upstream with TLS, if its authority is one that Node.js trusts", async (t) => {
  const authority = new Authority(t);
  const { pem } = authority.issue("cache");
  const server = createSecureServer({ ...pem, keepAliveTimeout: 1 }, (_, response) => response.end("secret"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const httpUpstream = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [{ address: before }, trusted] = [
    await bridgeTo(t, NO_GRPC, { httpUpstream }),
    getCACertificates("default"),
  ];
  const { status, body } = await overHttp1(before, "/");
  assert.equal(status, 502);
  assert.match(String(body), /unable to verify the first certificate/);
  t.after(() => setDefaultCACertificates(trusted));
  setDefaultCACertificates([String(authority.own.pem.cert)]);
  const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream });
  for (const [, send] of VERSIONS) assert.equal(String((await send(address, "/")).body), "secret");
});

test("HTTP/1: gRPC is refused with a sentence, HTTP upstream or not; gRPC-Web is plain HTTP", async (t) => {
  const { url } = await httpServer(t, (_, response) => response.end("web"));
  for (const httpUpstream of [null, url]) {
    const { address } = await bridgeTo(t, NO_GRPC, { httpUpstream });
    const call = (type: string) =>
      overHttp1(address, "/test.Shapes/Unary", { method: "POST", headers: { "content-type": type } });
    for (const type of ["application/grpc", "application/grpc+proto"]) {
      const { status, body } = await call(type);
      assert.equal(status, 505);
      assert.match(String(body), /gRPC needs HTTP\/2/);
    }
    assert.equal((await call("application/grpc-web")).status, httpUpstream === null ? 501 : 200);
  }
});

test("HTTP/2: a POST of another content type, which may have been meant as gRPC, is 415", async (t) => {
  const { address } = await bridgeTo(t, NO_GRPC);
  const [, overHttp2] = VERSIONS[1]!;
  for (const type of ["application/json", "application/grpc-web", "application/grpcfoo", ""]) {
    const headers = { "content-type": type };
    const { status, body } = await overHttp2(address, "/test.Shapes/Unary", { method: "POST", headers });
    assert.equal(status, 415, type);
    assert.match(String(body), /carries gRPC over HTTP\/2/);
  }
});

test("HTTP/1: an offer to go on with HTTP/2 is left alone", async (t) => {
  const address = await sideBridge(t, cache());
  const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" };
  assert.equal((await overHttp1(address, "/cas/none", { headers })).status, 404);
});

test("HTTP/1: a head that takes too long is 408, one that is too large 431", async (t) => {
  const { address } = await bridgeTo(t, NO_GRPC, {
    timeouts: { connectMs: 50, idleMs: 0, upstreamPingMs: 0 },
  });
  const slow = dial(address);
  slow.write("GET / HTTP/1.1\r\nhost: ");
  assert.match(await text(slow), /^HTTP\/1\.1 408 .*took too long\.\n$/s);
  const large = dial(address);
  large.write(`GET / HTTP/1.1\r\nx: ${"y".repeat(200_000)}`);
  assert.match(await text(large), /^HTTP\/1\.1 431 .*too large\.\n$/s);
});

test("bytes that are neither HTTP/2 nor HTTP/1 get a sentence and the end of the connection", async (t) => {
  const { address } = await bridgeTo(t, NO_GRPC);
  const socket = dial(address);
  socket.write("this is no protocol at all\r\n\r\n");
  assert.match(await text(socket), /^HTTP\/1\.1 400 .*neither that nor HTTP\/1/s);
});
