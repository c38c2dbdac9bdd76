import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import type { Upstream } from "../../../src/upstream/port.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { Status } from "../../../src/wire/status.ts";
import { Walker } from "../../../src/wire/walker.ts";
import { collect } from "../../support/collect.ts";
import { failure } from "../../support/scripted-caller.ts";
import { blob, NEW, named, OLD, portTo } from "./support.ts";

const V2 = "build.bazel.remote.execution.v2";
const { digest } = blob("an action");

const CALLS = [
  {
    name: `${V2}.GetActionResultRequest`,
    draft: { actionDigest: digest, inlineStdout: true },
    run: async (port: Upstream, request: Buffer) => [await port.getActionResult(request)],
  },
  {
    name: `${V2}.UpdateActionResultRequest`,
    draft: { actionDigest: digest, actionResult: { exitCode: 3 } },
    run: async (port: Upstream, request: Buffer) => [await port.updateActionResult(request)],
  },
  {
    name: `${V2}.ExecuteRequest`,
    draft: { actionDigest: digest, skipCacheLookup: true },
    run: (port: Upstream, request: Buffer) => collect(port.execute(request)),
  },
  {
    name: `${V2}.GetTreeRequest`,
    draft: { rootDigest: digest, pageSize: 7 },
    run: (port: Upstream, request: Buffer) => collect(port.getTree(request)),
  },
] as const;

/** The request with a field 99 that no schema knows. */
function withUnknown(request: Buffer): Buffer {
  const unknown = new FieldWriter();
  unknown.text(99, "kept");
  return Buffer.concat([request, unknown.toBuffer()]);
}

function fieldsOf(message: Buffer): Map<number, Buffer> {
  const fields = new Map<number, Buffer>();
  const field = new Walker(message);
  while (field.next()) fields.set(field.number, Buffer.from(message.subarray(field.start, field.end)));
  return fields;
}

for (const { name, draft, run } of CALLS) {
  test(`${name}: instance and function are put in, the rest stays`, async () => {
    const before = codec().create(name, draft);
    for (const [dialect, digestFunction, number] of [
      [NEW, null, 1],
      [NEW, named("BLAKE3"), 9],
      [OLD, null, 0],
    ] as const) {
      const request = withUnknown(
        codec().encode(name, { ...draft, instanceName: "theirs", digestFunction: 2 }),
      );
      let sent: Buffer = Buffer.alloc(0);
      const { port } = portTo(
        async function* (call) {
          sent = await call.request();
          yield Buffer.from("answer");
        },
        { dialect, digestFunction },
      );
      assert.equal(String(await run(port, request)), "answer");
      const { instanceName, digestFunction: written, ...rest } = codec().decode(name, sent);
      assert.equal(instanceName, "main");
      assert.equal(written, number);
      const { instanceName: _, digestFunction: __, ...expected } = before;
      assert.deepEqual(rest, expected);
      assert.equal(String(fieldsOf(sent).get(99)), "kept");
    }
  });

  test(`${name}: a digest that is none is refused without a call, a request that is none as well`, async () => {
    const { port, caller } = portTo(() => [Buffer.alloc(0)]);
    const wrong = { hash: "AB".repeat(32), sizeBytes: 1 };
    const request = codec().encode(name, { ...draft, actionDigest: wrong, rootDigest: wrong } as object);
    for (const bytes of [request, Buffer.from([0x0a, 0xff])]) {
      await assert.rejects(async () => run(port, bytes), {
        name: "UpstreamError",
        code: Status.INVALID_ARGUMENT,
      });
    }
    assert.equal(caller.calls.length, 0);
  });

  test(`${name}: without a digest the upstream may say what it thinks of it`, async () => {
    const { port } = portTo(() => {
      throw failure(Status.INVALID_ARGUMENT, "where is the digest?");
    });
    await assert.rejects(async () => run(port, Buffer.alloc(0)), { message: "where is the digest?" });
  });
}

test("calls about operations have the name", async () => {
  const { port, caller } = portTo(async function* (call) {
    assert.equal(String(fieldsOf(await call.request()).get(1)), "operations/7");
    yield Buffer.from("answer");
  });
  assert.equal(String(await port.getOperation("operations/7")), "answer");
  assert.equal(String(await collect(port.waitExecution("operations/7"))), "answer");
  await port.cancelOperation("operations/7");
  assert.deepEqual(
    caller.calls.map(({ path }) => path),
    [
      "/google.longrunning.Operations/GetOperation",
      `/${V2}.Execution/WaitExecution`,
      "/google.longrunning.Operations/CancelOperation",
    ],
  );
});

test("capabilities are those of the instance, byte for byte", async () => {
  const answer = withUnknown(Buffer.alloc(0));
  const { port, caller } = portTo(async function* (call) {
    const request = codec().decode(`${V2}.GetCapabilitiesRequest`, await call.request());
    assert.equal(request.instanceName, "main");
    yield answer;
  });
  assert.equal(await port.capabilities(), answer);
  assert.equal(caller.budget.used, answer.length);
});

test("an answer for which the budget has no room is RESOURCE_EXHAUSTED", async () => {
  const { port } = portTo(() => [Buffer.alloc(100)], { budgetBytes: 99 });
  await assert.rejects(port.capabilities(), { code: Status.RESOURCE_EXHAUSTED });
});

test("any other call goes out as it is", async () => {
  const { port, caller } = portTo(async function* (call) {
    yield await call.request();
    yield Buffer.from("more");
  });
  assert.equal(
    String(await collect(port.call("/some.Other/Method", Buffer.from("request")))),
    "request,more",
  );
  assert.equal(caller.calls[0]!.path, "/some.Other/Method");
});
