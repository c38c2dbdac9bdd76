/** `explain` for a server that runs: what it is asked, what it tells, and what is assumed. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { parseAddress } from "../../src/config/address.ts";
import { startEmbedded } from "../../src/embedded/server.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { codec } from "../../src/spec/codec.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { Authority } from "../support/certificates.ts";
import { explained as explain } from "../support/explained.ts";
import { grpcServer } from "../support/grpc.ts";

const V2 = "build.bazel.remote.execution.v2";

interface Scripted {
  readonly address: string;
  /** The instances it was asked about, and the names of all headers. */
  readonly asked: { readonly instance: string; readonly headers: readonly string[] }[];
}

/** A server that answers GetCapabilities as `answer` does and has nothing else. */
async function server(
  t: TestContext,
  answer: (instance: string) => Buffer | Partial<grpc.StatusObject>,
  credentials = grpc.ServerCredentials.createInsecure(),
): Promise<Scripted> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const asked: { instance: string; headers: readonly string[] }[] = [];
  const grpcJs = new grpc.Server();
  const shape = {
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
  };
  const method = { path: GET_CAPABILITIES, ...shape, responseSerialize: asIs, responseDeserialize: asIs };
  grpcJs.addService(
    { GetCapabilities: method },
    {
      GetCapabilities: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
        const { instanceName } = codec().decode(`${V2}.GetCapabilitiesRequest`, call.request);
        asked.push({ instance: instanceName, headers: Object.keys(call.metadata.getMap()) });
        const said = answer(instanceName);
        if (Buffer.isBuffer(said)) done(null, said);
        else done(said);
      },
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  grpcJs.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port)));
  t.after(() => grpcJs.forceShutdown());
  return { address: `127.0.0.1:${await promise}`, asked };
}

function capabilities(minorLow: number, minorHigh: number): Buffer {
  const version = (minor: number) => ({ major: 2, minor, patch: 0, prerelease: "" });
  return codec().encode(`${V2}.ServerCapabilities`, {
    cacheCapabilities: { digestFunctions: [1], supportedCompressors: [1] },
    lowApiVersion: version(minorLow),
    highApiVersion: version(minorHigh),
  });
}

test("a running server is asked for its capabilities, and the client is told what it needs", async (t) => {
  const { address, asked } = await server(t, () => capabilities(3, 11));
  const { code, out } = await explain("--client", "please", "--server", address, "--instance", "main");
  assert.equal(code, 0);
  assert.deepEqual([...new Set(asked.map(({ instance }) => instance))], ["main"]);
  // Nobody's credentials, and nothing that names a caller.
  assert.deepEqual(asked[0]?.headers, ["user-agent"]);
  assert.match(out, new RegExp(`^Server {2}${address} \\(its answers; level 2\\.11\\)$`, "m"));
  assert.match(out, /the server states 2\.3 to 2\.11; the client is told 2\.0 to 2\.11/);
});

test("what is announced is evidence, and what is not is assumed", async (t) => {
  const { address } = await server(t, () => capabilities(0, 3));
  const { out } = await explain("--client", "bazel@9", "--server", address, "--json", "--all");
  const rows = JSON.parse(out).rows as {
    feature: string;
    verdict: string;
    evidence: { server: { source: string; note: string } };
    settledBy: string[];
  }[];
  const packed = rows.find(({ feature }) => feature === "compressed-blobs");
  assert.deepEqual(packed?.evidence.server, { source: "advertised", note: "supported_compressors lists 1" });
  const links = rows.find(({ feature }) => feature === "argv0");
  assert.equal(links?.evidence.server.source, "assumed");
});

test("rows that rest on an announced version say which key of a profile would settle them", async (t) => {
  const { address } = await server(t, () => capabilities(0, 0));
  const { out } = await explain("--client", "pants", "--server", address);
  assert.match(out, /^ {2}output-paths +paths +→ +lists +translated +reads$/m);
  assert.match(out, /server: advertised: high_api_version 2\.0/);
  assert.match(out, /a profile would tell: server: features\.output-paths\.reads/);
});

test("a server without capabilities is known to lack them", async (t) => {
  const address = await grpcServer(t, { Unary: (call, done) => done(null, call.request) });
  const { code, out } = await explain("--client", "buildstream@1.6", "--server", address);
  assert.equal(code, 0);
  assert.match(out, /it has no GetCapabilities; no level known/);
  assert.match(out, /rest on what is assumed of any server/);
  assert.match(out, /--server NAME/);
});

test("answers that are none end with what the server said", async (t) => {
  const denied = await server(t, () => ({ code: grpc.status.PERMISSION_DENIED, details: "who are you" }));
  const said = await explain("--client", "bazel", "--server", denied.address);
  assert.equal(said.code, 4);
  assert.match(said.err, /GetCapabilities ended with PERMISSION_DENIED \(who are you\)/);
});

test("an answer that cannot be read teaches nothing", async (t) => {
  const { address } = await server(t, () => Buffer.from([0x2a, 0xff]));
  const { code, out } = await explain("--client", "bazel", "--server", address);
  assert.equal(code, 0);
  assert.match(out, /its capabilities cannot be read; no level known/);
  assert.match(out, /the server states no versions/);
});

test("an answer of many megabytes is not read to its end", async (t) => {
  const { address } = await server(t, () => Buffer.alloc(8 * 1024 * 1024, Buffer.from([0x0a, 0x00])));
  const { code, err } = await explain("--client", "bazel", "--server", address);
  assert.equal(code, 4);
  assert.match(err, /RESOURCE_EXHAUSTED/);
});

test("a server that is recognised is called by its name, and its profile is the evidence", async (t) => {
  const as = shippedProfiles().resolve("server", "bazel-remote@2.6");
  const running = await startEmbedded({ as, listen: parseAddress("127.0.0.1:0"), dir: null });
  t.after(() => running.stop());
  const { code, out } = await explain("--client", "bazel@7", "--server", running.address);
  assert.equal(code, 0);
  assert.match(out, /^Server {2}bazel-remote\b.*its answers; recognised by them/m);
  assert.match(out, /The server executes nothing: it is a cache/);
});

test("the profile that a configuration names counts, and so does its policy", async (t) => {
  const { address } = await server(t, () => capabilities(0, 0));
  const { folder } = new Authority(t);
  const file = join(folder, "bridge.json");
  const upstream = { address, profile: "buildfarm@2.15" };
  writeFileSync(file, JSON.stringify({ upstream, policy: { "action-platform": "off" } }));
  const { code, out } = await explain("--client", "2.12", "--config", file);
  assert.equal(code, 0);
  assert.match(out, /profile buildfarm@2\.15, as the configuration says/);
  assert.match(out, /^ {2}action-platform +action +→ +command +off +none$/m);
});

test("TLS is as the configuration says, and the upstream is its own where none is named", async (t) => {
  const authority = new Authority(t);
  const { pem } = authority.issue("farm");
  const pair = { private_key: pem.key, cert_chain: pem.cert };
  const { address } = await server(
    t,
    () => capabilities(0, 3),
    grpc.ServerCredentials.createSsl(null, [pair], false),
  );
  const file = join(authority.folder, "bridge.json");
  writeFileSync(
    file,
    JSON.stringify({ upstream: { address: `grpcs://${address}`, ca: authority.own.cert } }),
  );
  const known = await explain("--client", "bazel@8", "--config", file);
  assert.deepEqual([known.code, known.err], [0, ""]);
  assert.match(known.out, new RegExp(`^Server {2}grpcs://${address} `, "m"));
  const unknown = await explain("--client", "bazel@8", "--server", `grpcs://${address}`);
  assert.equal(unknown.code, 4);
});

test("a certificate must be for the name that the configuration expects", async (t) => {
  const authority = new Authority(t);
  const { pem } = authority.issue("farm", ["DNS:farm.test"]);
  const pair = { private_key: pem.key, cert_chain: pem.cert };
  const credentials = grpc.ServerCredentials.createSsl(null, [pair], false);
  const { address } = await server(t, () => capabilities(0, 3), credentials);
  const file = join(authority.folder, "bridge.json");
  const upstream = { address: `grpcs://${address}`, ca: authority.own.cert };
  writeFileSync(file, JSON.stringify({ upstream }));
  assert.equal((await explain("--client", "bazel@8", "--config", file)).code, 4);
  writeFileSync(file, JSON.stringify({ upstream: { ...upstream, serverName: "farm.test" } }));
  assert.equal((await explain("--client", "bazel@8", "--config", file)).code, 0);
  writeFileSync(file, JSON.stringify({ upstream: { address: `grpcs://${address}`, insecure: true } }));
  assert.equal((await explain("--client", "bazel@8", "--config", file)).code, 0);
});

test("the embedded server of a configuration needs not be asked, and one that runs says the same", async (t) => {
  const { folder } = new Authority(t);
  const file = join(folder, "bridge.yaml");
  writeFileSync(file, "upstream: embedded:2.3\n");
  const inside = await explain("--client", "bazel@7", "--config", file);
  assert.deepEqual([inside.code, inside.err], [0, ""]);
  assert.match(inside.out, /the embedded server of level 2\.3/);
  const running = await startEmbedded({ level: "2.3", listen: parseAddress("127.0.0.1:0"), dir: null });
  t.after(() => running.stop());
  const asked = await explain("--client", "bazel@7", "--server", running.address);
  assert.equal(asked.code, 0);
  for (const { out } of [inside, asked]) assert.match(out, /the server states 2\.0 to 2\.3/);
});

test("a Unix socket that is not there is one that does not answer", async () => {
  const { code, err } = await explain("--client", "2.0", "--server", "unix:/nowhere.sock");
  assert.equal(code, 4);
  assert.match(err, /^reapi-bridge: unix:\/nowhere\.sock cannot be reached \(connect ENOENT/);
});
