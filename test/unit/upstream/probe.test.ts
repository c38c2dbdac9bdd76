import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageName } from "../../../src/spec/codec.ts";
import { codec } from "../../../src/spec/codec.ts";
import { methodAt } from "../../../src/spec/methods.ts";
import { ASKS, type Ask } from "../../../src/upstream/asks.ts";
import type { Caller } from "../../../src/upstream/caller.ts";
import { BATCH_READ, GET_CAPABILITIES, READ } from "../../../src/upstream/methods.ts";
import { probe } from "../../../src/upstream/probe.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { Status } from "../../../src/wire/status.ts";
import { failure, type Script, ScriptedCaller } from "../../support/scripted-caller.ts";

const LONG_MS = 20_000;
const reflection = (version: string) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;

/** A script by the last part of the path; whatever is not in it answers with one empty message. */
function by(scripts: Readonly<Record<string, Script>>): Script {
  return (call) => scripts[call.path.slice(call.path.lastIndexOf("/") + 1)]?.(call) ?? [Buffer.alloc(0)];
}

/** A call that ends with this status. */
function ends(code: number, message?: string): Script {
  return async function* () {
    yield* [] as Buffer[];
    throw failure(code, message);
  };
}

function nested(number: number, ...contents: Buffer[]): Buffer {
  const out = new FieldWriter();
  for (const content of contents) out.bytes(number, content);
  return out.toBuffer();
}

function services(...names: string[]): Buffer {
  return nested(
    6,
    nested(1, ...[]),
    Buffer.concat(names.map((name) => nested(1, nested(1, Buffer.from(name))))),
  );
}

const ask = (caller: Caller, asks: readonly Ask[], deadlineMs = LONG_MS) =>
  probe({ caller, instance: "main", asks, deadlineMs });

test("every question is a call with nothing in it but the instance name", async () => {
  const caller = new ScriptedCaller(async function* (call) {
    await call.request();
    yield Buffer.alloc(0);
  });
  const { signs, capabilities, capabilitiesStatus } = await ask(caller, ASKS);
  assert.deepEqual([capabilities, capabilitiesStatus], [Buffer.alloc(0), Status.OK]);
  assert.deepEqual(
    signs.map((sign) => [sign.ask, sign.status]),
    ASKS.map((name) => [name, Status.OK]),
  );
  const asked = caller.calls.flatMap(({ path, taken }) => {
    const method = methodAt(path);
    if (method === undefined) return [];
    const message = codec("main").decode(method.request as MessageName, taken[0]!);
    return [[path.slice(path.lastIndexOf("/") + 1), JSON.parse(JSON.stringify(message))]];
  });
  const hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  assert.deepEqual(Object.fromEntries(asked), {
    BatchReadBlobs: { instanceName: "main", digests: [], acceptableCompressors: [] },
    BatchUpdateBlobs: { instanceName: "main", requests: [] },
    FetchBlob: { instanceName: "main", uris: [], qualifiers: [] },
    FindMissingBlobs: { instanceName: "no-such-instance-of-reapi-bridge", blobDigests: [] },
    GetCapabilities: { instanceName: "main" },
    GetTree: { instanceName: "main", rootDigest: { hash } },
    Read: { resourceName: "main/blobs/unreadable" },
  });
  const read = caller.calls.find(({ path }) => path === READ);
  assert.equal(read?.resourceName, "main/blobs/unreadable");
});

test("statuses and texts are kept, texts up to a bound", async () => {
  const caller = new ScriptedCaller(
    by({
      GetTree: ends(Status.UNIMPLEMENTED, "not here"),
      FetchBlob: ends(Status.INTERNAL, "x".repeat(9999)),
    }),
  );
  const { signs } = await ask(caller, ["empty-tree", "fetch-without-uris"]);
  assert.deepEqual(signs, [
    { ask: "empty-tree", status: Status.UNIMPLEMENTED, text: "not here", services: [] },
    { ask: "fetch-without-uris", status: Status.INTERNAL, text: "x".repeat(512), services: [] },
  ]);
});

test("only what is asked is called, each once", async () => {
  const caller = new ScriptedCaller(by({}));
  await ask(caller, ["health", "health"]);
  assert.deepEqual(caller.calls.map(({ path }) => path).sort(), [
    GET_CAPABILITIES,
    "/grpc.health.v1.Health/Check",
  ]);
});

test("what is about the caller or the moment teaches nothing", async () => {
  const codes = [
    ...[Status.UNAUTHENTICATED, Status.PERMISSION_DENIED, Status.UNAVAILABLE],
    ...[Status.CANCELLED, Status.DEADLINE_EXCEEDED, Status.RESOURCE_EXHAUSTED],
  ];
  for (const code of codes) {
    const { signs, capabilities, capabilitiesStatus } = await ask(new ScriptedCaller(ends(code)), ASKS);
    assert.deepEqual([signs, capabilities, capabilitiesStatus], [[], null, code]);
  }
});

test("what does not answer in time is left out, and its call is over", async () => {
  const caller = new ScriptedCaller((call) => (call.path.endsWith("/Check") ? [] : stuck()));
  const holding: Caller = {
    budget: caller.budget,
    open: (path, name) => {
      const call = caller.open(path, name);
      if (!path.endsWith("/GetTree")) return call;
      // Does not even let go when it is cancelled.
      return { write: async () => {}, end: async () => {}, cancel() {}, messages: stuck };
    },
  };
  const seen = await ask(holding, ["empty-tree", "health", "empty-batch-read"], 50);
  assert.deepEqual(
    seen.signs.map((sign) => sign.ask),
    ["health"],
  );
  assert.deepEqual([seen.capabilities, seen.capabilitiesStatus], [null, null]);
  const cancelled = caller.calls.filter((call) => call.cancelled).map(({ path }) => path);
  assert.deepEqual(cancelled, [GET_CAPABILITIES, BATCH_READ]);
});

async function* stuck(): AsyncGenerator<Buffer, void, void> {
  await new Promise(() => {});
}

test("megabytes are not kept: of capabilities remains that there are some, of an answer nothing", async () => {
  const large = Buffer.alloc(1024 * 1024 + 1);
  const endless: Script = function* () {
    for (;;) yield Buffer.alloc(64 * 1024);
  };
  const caller = new ScriptedCaller(by({ GetCapabilities: () => [large], Read: endless, GetTree: endless }));
  const seen = await ask(caller, ["unreadable-resource-name", "empty-tree"]);
  assert.deepEqual(seen, { capabilities: null, capabilitiesStatus: Status.OK, signs: [] });
  assert.ok(caller.calls.every(({ taken }) => taken.length <= 1));
  const most = large.subarray(1);
  const other = await ask(new ScriptedCaller(by({ GetCapabilities: () => [most] })), []);
  assert.equal(other.capabilities?.length, most.length);
});

test("many small messages are too much as well", async () => {
  const caller = new ScriptedCaller(by({ GetTree: () => Array.from({ length: 17 }, () => Buffer.alloc(0)) }));
  assert.deepEqual((await ask(caller, ["empty-tree"])).signs, []);
});

test("reflection lists services, by its newer version or the older one", async () => {
  const list = services("a.B", "c.D");
  const newer = new ScriptedCaller(by({ ServerReflectionInfo: () => [list] }));
  assert.deepEqual((await ask(newer, ["reflection"])).signs[0]?.services, ["a.B", "c.D"]);
  const older = new ScriptedCaller((call) =>
    call.path === reflection("v1") ? ends(Status.UNIMPLEMENTED)(call) : [list],
  );
  const { signs } = await ask(older, ["reflection"]);
  assert.deepEqual(signs, [{ ask: "reflection", status: Status.OK, text: "", services: ["a.B", "c.D"] }]);
  const none = new ScriptedCaller(ends(Status.UNIMPLEMENTED, "no"));
  assert.deepEqual((await ask(none, ["reflection"])).signs, [
    { ask: "reflection", status: Status.UNIMPLEMENTED, text: "no", services: [] },
  ]);
});

test("reflection that is garbage teaches nothing, one without end no more than 256 names", async () => {
  for (const garbage of [Buffer.from([0x32, 9, 1]), Buffer.from([0xff, 0xff])]) {
    const caller = new ScriptedCaller(by({ ServerReflectionInfo: () => [garbage] }));
    assert.deepEqual((await ask(caller, ["reflection"])).signs, []);
  }
  const names = ["x".repeat(300), ...Array.from({ length: 1000 }, (_, i) => `service.${i}`)];
  const caller = new ScriptedCaller(by({ ServerReflectionInfo: () => [services(...names)] }));
  assert.deepEqual((await ask(caller, ["reflection"])).signs[0]?.services, names.slice(1, 257));
});

test("a defect is no answer", async () => {
  const broken = new ScriptedCaller(() => {
    throw new TypeError("a defect");
  });
  await assert.rejects(ask(broken, ["health"]), TypeError);
});

test("a call that cannot be opened says nothing", async () => {
  const caller = new ScriptedCaller(by({}));
  const spent: Caller = {
    budget: caller.budget,
    open: () => {
      throw failure(Status.RESOURCE_EXHAUSTED);
    },
  };
  assert.deepEqual((await ask(spent, ["health"])).signs, []);
});
