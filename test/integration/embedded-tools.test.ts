/** What tools that know nothing of the API ask a server: its health, and by reflection what it has. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { Client, credentials } from "@grpc/grpc-js";
import { startEmbedded } from "../../src/embedded/server.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { Status } from "../../src/wire/status.ts";
import { Walker } from "../../src/wire/walker.ts";
import { playing } from "../support/played-server.ts";

const same = (bytes: Buffer): Buffer => bytes;
const CAS = "build.bazel.remote.execution.v2.ContentAddressableStorage";

async function clientOf(t: TestContext, level: string): Promise<Client> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await startEmbedded({ level, listen, dir: null });
  t.after(() => server.stop());
  const client = new Client(server.address, credentials.createInsecure());
  t.after(() => client.close());
  return client;
}

/** A message with one text field. */
function text(number: number, value: string): Buffer {
  const out = new FieldWriter();
  out.text(number, value);
  return out.toBuffer();
}

/** The payloads of the fields at `path`, each element a field number: messages within messages. */
function at(message: Buffer, [number, ...rest]: number[]): Buffer[] {
  const walker = new Walker(message);
  const found: Buffer[] = [];
  while (walker.next()) if (walker.number === number) found.push(walker.bytes());
  return rest.length === 0 ? found : found.flatMap((each) => at(each, rest));
}

async function reflect(client: Client, version: string, request: Buffer): Promise<Buffer> {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const call = client.makeBidiStreamRequest(path, same, same);
  call.end(request);
  const [response] = (await once(call, "data")) as [Buffer];
  return response;
}

test("health: the server and its services serve; others are unknown", async (t) => {
  const client = await clientOf(t, "main");
  const check = (service: string) =>
    new Promise<Buffer>((resolve, reject) =>
      client.makeUnaryRequest("/grpc.health.v1.Health/Check", same, same, text(1, service), (error, value) =>
        error ? reject(error) : resolve(value!),
      ),
    );
  const serving = Buffer.from([8, 1]);
  assert.deepEqual(await check(""), serving);
  assert.deepEqual(await check(CAS), serving);
  await assert.rejects(check("other.Service"), { code: Status.NOT_FOUND });
  for (const [service, answer] of [
    ["", serving],
    ["other.Service", Buffer.from([8, 3])],
  ] as const) {
    const watch = client.makeServerStreamRequest(
      "/grpc.health.v1.Health/Watch",
      same,
      same,
      text(1, service),
    );
    assert.deepEqual(await once(watch, "data"), [answer]);
    watch.on("error", () => {});
    watch.cancel();
  }
});

for (const version of ["v1", "v1alpha"]) {
  test(`reflection ${version} lists the services of the API`, async (t) => {
    const client = await clientOf(t, "2.0");
    const services = at(await reflect(client, version, text(7, "")), [6, 1, 1]).map(String);
    assert.deepEqual(services.sort(), [
      "build.bazel.remote.execution.v2.ActionCache",
      "build.bazel.remote.execution.v2.Capabilities",
      CAS,
      "build.bazel.remote.execution.v2.Execution",
      "google.bytestream.ByteStream",
      "google.longrunning.Operations",
    ]);
  });
}

test("reflection of a server with methods newer than its level shows them, with their messages", async (t) => {
  const { address } = await playing(t, "bazel-remote@2.6", { optional: true });
  const client = new Client(address, credentials.createInsecure());
  t.after(() => client.close());
  const services = at(await reflect(client, "v1", text(7, "")), [6, 1, 1]).map(String);
  assert.ok(services.includes("build.bazel.remote.asset.v1.Fetch"));
  assert.ok(!services.includes("build.bazel.remote.execution.v2.Execution"));
  const response = await reflect(client, "v1", text(4, CAS));
  const names = at(response, [4, 1]).flatMap((file) => at(file, [4, 1]).map(String));
  assert.ok(names.includes("SpliceBlobRequest"));
});

test("reflection shows the messages as the level has them", async (t) => {
  /** By name of the message, `name=number` of its fields; FileDescriptorProto.message_type is 4, fields are 2. */
  const messagesOf = async (level: string) => {
    const response = await reflect(await clientOf(t, level), "v1", text(4, CAS));
    const types = at(response, [4, 1]).flatMap((file) => at(file, [4]));
    const fieldsOf = (type: Buffer) =>
      at(type, [2]).map((field) => {
        const walker = new Walker(field);
        let number = 0;
        while (walker.next()) if (walker.number === 3) number = walker.int32();
        return `${at(field, [1])[0]}=${number}`;
      });
    return new Map(types.map((type) => [String(at(type, [1])[0]), fieldsOf(type)]));
  };
  const [oldest, first, newest] = [
    await messagesOf("2018-11"),
    await messagesOf("2.0"),
    await messagesOf("main"),
  ];
  const directory = ["files=1", "directories=2", "symlinks=3"];
  assert.deepEqual(oldest.get("Directory"), directory);
  assert.deepEqual(first.get("Directory"), [...directory, "node_properties=4"]);
  assert.deepEqual(newest.get("Directory"), [...directory, "node_properties=5"]);
  assert.equal(oldest.has("NodeProperty"), false);
  assert.equal(first.has("SplitBlobRequest"), false);
  assert.ok(newest.has("SplitBlobRequest"));
});
