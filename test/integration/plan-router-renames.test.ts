import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { codec } from "../../src/spec/codec.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { Status } from "../../src/wire/status.ts";
import { Walker } from "../../src/wire/walker.ts";
import { bridgeTo } from "../support/bridge.ts";
import { capabilities } from "../support/capabilities.ts";
import { CallFailed, ReapiClient, sha256, V2 } from "../support/reapi-client.ts";
import { type Recorded, recordingServer } from "../support/recording-server.ts";
import { type RouteDraft, routed } from "../support/upstreams.ts";

// Instances that go to different upstreams, under other names.

const FIND = `/${V2}.ContentAddressableStorage/FindMissingBlobs`;
const HEADER = "build.bazel.remote.execution.v2.resource-name";
const DIGEST = sha256("blob");
const BLOB = `blobs/${DIGEST.hash}/${DIGEST.sizeBytes}`;

function firstText({ request }: Recorded): string {
  const field = new Walker(request);
  while (field.next()) if (field.number === 1) return field.text();
  return "";
}

/** Fields in the order given, whatever their numbers. */
function fields(...texts: readonly [number, string][]): Buffer {
  return Buffer.concat(
    texts.map(([number, text]) => {
      const out = new FieldWriter();
      out.text(number, text);
      return out.toBuffer();
    }),
  );
}

const ROUTES: readonly RouteDraft[] = [
  { upstream: "a", instance: "team", rename: "main" },
  { upstream: "b", instance: "other" },
  { upstream: "c" },
];

/** Three upstreams of known kind, so that all they are asked is what clients ask. */
async function three(t: TestContext, routes = ROUTES) {
  const start = () =>
    recordingServer(t, {
      "Capabilities/GetCapabilities": () => capabilities(11),
      "ByteStream/Read": () =>
        codec().encode("google.bytestream.ReadResponse", { data: Buffer.from("blob") }),
      "ByteStream/Write": () => codec().encode("google.bytestream.WriteResponse", { committedSize: 4n }),
    });
  const [a, b, c] = [await start(), await start(), await start()];
  const addresses = { a: a.address, b: b.address, c: c.address };
  const profiles = { a: "engflow", b: "engflow", c: "engflow" };
  const { address } = await bridgeTo(t, a.address, routed(addresses, routes, profiles));
  /** What each was asked since the last time: method and instance or resource name. */
  const asked = () => {
    const seen = [a, b, c].map(({ calls }) =>
      calls.splice(0).map((call) => `${call.method} ${firstText(call)}`),
    );
    return Object.fromEntries(
      ["a", "b", "c"].map((name, i) => [name, seen[i]!]).filter(([, calls]) => calls!.length > 0),
    );
  };
  return { servers: { a, b, c }, address, asked, client: new ReapiClient(t, address) };
}

test("unary calls go by their instance, which the upstream sees under its own name", async (t) => {
  const { client, asked } = await three(t);
  const method = "ContentAddressableStorage/FindMissingBlobs";
  const cases: [instance: string, upstream: string, seen: string][] = [
    ["team", "a", "main"],
    ["team/sub/x", "a", "main/sub/x"],
    ["teams", "c", "teams"],
    ["other/y", "b", "other/y"],
    ["", "c", ""],
    ["x/team", "c", "x/team"],
  ];
  for (const [instance, upstream, seen] of cases) {
    await client.unaryBytes(FIND, fields(...(instance === "" ? [] : [[1, instance] as [number, string]])));
    assert.deepEqual(asked(), { [upstream]: [`${method} ${seen}`] }, instance);
    await client.unaryBytes(GET_CAPABILITIES, fields([1, instance]));
    assert.deepEqual(asked(), { [upstream]: [`Capabilities/GetCapabilities ${seen}`] }, instance);
  }
});

test("streams go by the instance in their resource name, also of methods that are relayed otherwise", async (t) => {
  const { client, asked, servers } = await three(t);
  assert.equal((await client.read(`team/x/${BLOB}`)).toString(), "blob");
  assert.deepEqual(asked(), { a: [`ByteStream/Read main/x/${BLOB}`] });
  await client.read(BLOB);
  assert.deepEqual(asked(), { c: [`ByteStream/Read ${BLOB}`] });
  const upload = `uploads/00000000-0000-4000-8000-000000000001/${BLOB}`;
  assert.equal(await client.write(`team/${upload}`, [Buffer.from("bl"), Buffer.from("ob")]), 4);
  assert.deepEqual(asked(), { a: [`ByteStream/Write main/${upload}`] });
  const query = { resourceName: `team/${upload}` };
  await assert.rejects(client.unary("/google.bytestream.ByteStream/QueryWriteStatus", query));
  assert.deepEqual(asked(), { a: [`ByteStream/QueryWriteStatus main/${upload}`] });
  assert.equal(servers.b.calls.length, 0);
});

test("the routing header does not contradict the name in the request", async (t) => {
  const { client, servers } = await three(t);
  await client
    .unary(
      "/google.bytestream.ByteStream/QueryWriteStatus",
      { resourceName: `team/${BLOB}` },
      { [HEADER]: `team/${BLOB}` },
    )
    .catch(() => {});
  const [seen] = servers.a.of("ByteStream/QueryWriteStatus");
  assert.equal(firstText(seen!), `main/${BLOB}`);
  const header = seen!.metadata.get(HEADER);
  assert.ok(header.length === 0 || (header.length === 1 && header[0] === `main/${BLOB}`), String(header));
});

test("a first message that names two instances is refused, wherever it would go and however it comes", async (t) => {
  const { client, asked } = await three(t);
  const twice: [string, Buffer][] = [
    ["renamed", fields([1, "team"], [1, "other"])],
    ["a default", fields([1, "x"], [1, "team"])],
    ["after a higher field", fields([1, "x"], [9, "z"], [1, "team"])],
    [
      "a default, far behind",
      Buffer.concat([fields([1, "x"]), fields([9, "z".repeat(200_000)]), fields([1, "team"])]),
    ],
    ["opened", fields([1, "team"], [9, "z".repeat(200_000)], [1, "other"])],
  ];
  for (const [name, message] of twice) {
    for (const path of [FIND, GET_CAPABILITIES, `/${V2}.ActionCache/GetActionResult`]) {
      await assert.rejects(client.unaryBytes(path, message), (error) => {
        assert.ok(error instanceof CallFailed, String(error));
        assert.deepEqual(
          [error.code, /field 1/.test(error.message)],
          [Status.INVALID_ARGUMENT, true],
          `${name} ${path}: ${error.message}`,
        );
        return true;
      });
    }
  }
  assert.deepEqual(asked(), {});
});

test("a compressed first message is read, one that does not name its instance in time is refused", async (t) => {
  const { client, asked, address } = await three(t);
  const raw = new grpc.Client(address, grpc.credentials.createInsecure(), {
    "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
    "grpc.use_local_subchannel_pool": 1,
  });
  t.after(() => raw.close());
  const same = (bytes: Buffer) => bytes;
  await new Promise<void>((resolve, reject) => {
    const request = fields([1, "team/deep"], [9, "z".repeat(100_000)]);
    assert.ok(gzipSync(request).length < 1000);
    raw.makeUnaryRequest(FIND, same, same, request, (error) => (error ? reject(error) : resolve()));
  });
  const { a = [] } = asked();
  assert.equal(a.length, 1);
  const late = Buffer.concat([Buffer.from([0x08, 0x01]), fields([1, "y".repeat(70_000)])]);
  for (const message of [late, fields([1, "y".repeat(70_000)])]) {
    await assert.rejects(client.unaryBytes(FIND, message), (error) => {
      assert.ok(error instanceof CallFailed);
      assert.ok(
        [Status.RESOURCE_EXHAUSTED, Status.INVALID_ARGUMENT].includes(error.code as 8),
        error.message,
      );
      return true;
    });
  }
  assert.deepEqual(asked(), {});
});

test("a request without a message goes where calls without an instance go", async (t) => {
  const { address, asked } = await three(t);
  const raw = new grpc.Client(address, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  t.after(() => raw.close());
  const same = (bytes: Buffer) => bytes;
  await new Promise<void>((resolve) => {
    const call = raw.makeClientStreamRequest("/google.bytestream.ByteStream/Write", same, same, () =>
      resolve(),
    );
    call.end();
  });
  assert.deepEqual(asked(), { c: ["ByteStream/Write "] });
});
