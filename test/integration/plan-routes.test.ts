import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import type { Dialect } from "../../src/peers/dialect.ts";
import type { Role } from "../../src/peers/profile.ts";
import { type MethodPlan, type Plan, RELAYED } from "../../src/plan/plan.ts";
import { planRoutes } from "../../src/proxy/lanes/plan-routes.ts";
import { BridgeError } from "../../src/spec/bridge-error.ts";
import { SAFE_DIALECT } from "../../src/upstream/dialect.ts";
import { Take } from "../../src/wire/field-scanner.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { decodeStatusDetails } from "../../src/wire/status-details.ts";
import { Walker } from "../../src/wire/walker.ts";
import { atRest } from "../support/at-rest.ts";
import { bridgeTo } from "../support/bridge.ts";
import { GrpcClient, grpcServer, type Handlers } from "../support/grpc.ts";

// A plan made by hand, carried out by a bridge in front of a server that answers with what it got.

const peer = <R extends Role>(role: R): Dialect<R> => ({
  role,
  name: role,
  version: null,
  digestFunctions: [],
  missingMethods: [],
  features: {},
  facts: {} as Dialect<R>["facts"],
});

const IDLE: MethodPlan = { ...RELAYED, features: ["a-feature"] };

function planOf(methods: Readonly<Record<string, Partial<MethodPlan>>>): Plan {
  const entries = Object.entries(methods).map(
    ([name, method]) => [`/test.Shapes/${name}`, { ...IDLE, ...method }] as const,
  );
  const pair = { client: peer("client"), server: peer("server") };
  return {
    pair,
    methods: new Map(entries),
    content: [],
    checks: [],
    lenses: [],
    metadata: [],
    decisions: [],
  };
}

function text(number: number, value: string): Buffer {
  const out = new FieldWriter();
  out.text(number, value);
  return Buffer.concat(out.finish());
}

function texts(message: Buffer): [number, string][] {
  const found: [number, string][] = [];
  const field = new Walker(message);
  while (field.next()) found.push([field.number, field.text()]);
  return found;
}

const refusal = () =>
  new BridgeError({
    code: "request-unsupported",
    feature: "a-feature",
    drift: "D08",
    used: "Field 3",
    since: "2.5",
    has: "the upstream reads 2.0 only",
    fix: "leave it out",
    field: "three",
  });

const echo: Handlers = {
  Unary: (call, done) => {
    const trailers = new grpc.Metadata();
    trailers.set("x-end", "e");
    const head = new grpc.Metadata();
    head.set("x-begin", call.metadata.get("x-mine").join());
    call.sendMetadata(head);
    done(null, call.request, trailers);
  },
  ClientStream: (call, done) => {
    const parts: Buffer[] = [];
    call.on("data", (part: Buffer) => void parts.push(part));
    call.on("end", () => done(null, Buffer.concat(parts)));
  },
  ServerStream: (call) => {
    const metadata = new grpc.Metadata();
    metadata.set("x-why", "because");
    call.write(call.request);
    call.emit("error", { code: grpc.status.NOT_FOUND, details: "not there", metadata });
  },
};

async function carriedOut(t: TestContext, methods: Readonly<Record<string, Partial<MethodPlan>>>) {
  const server = await grpcServer(t, echo);
  const bridge = await bridgeTo(
    t,
    server,
    {},
    { routes: planRoutes(planOf(methods), { dialect: SAFE_DIALECT }) },
  );
  return { client: new GrpcClient(t, bridge.address), bridge };
}

const append = (suffix: string) => async (message: Buffer) => [message, text(9, suffix)];

test("requests and responses are edited, metadata and trailers pass", async (t) => {
  const { client, bridge } = await carriedOut(t, {
    Unary: { lane: "translate", requests: [append("there")], responses: [append("back")] },
  });
  const mine = new grpc.Metadata();
  mine.set("x-mine", "m");
  const outcome = await client.call("Unary", [text(1, "instance")], mine);
  assert.equal(outcome.code, 0, outcome.details);
  assert.deepEqual(texts(outcome.messages[0]!), [
    [1, "instance"],
    [9, "there"],
    [9, "back"],
  ]);
  assert.deepEqual([outcome.head?.get("x-begin"), outcome.trailers.get("x-end")], [["m"], ["e"]]);
  const { calls, bridge: own } = await bridge.metrics();
  assert.deepEqual([calls[0]?.lane, own.refusedTotal], ["translate", 0]);
});

test("each message of a stream is edited, the first one's field as well", async (t) => {
  const { client } = await carriedOut(t, {
    ClientStream: {
      lane: "translate",
      requests: [append("each")],
      heads: [{ field: 1, rewrite: () => Buffer.from("new") }],
    },
  });
  const { messages } = await client.call("ClientStream", [text(1, "old"), text(1, "old")]);
  assert.deepEqual(texts(messages[0]!), [
    [1, "new"],
    [9, "each"],
    [1, "old"],
    [9, "each"],
  ]);
});

test("a stream hook that catches what the upstream ended with answers in its place", async (t) => {
  const { client, bridge } = await carriedOut(t, {
    ServerStream: {
      lane: "translate",
      streams: [
        {
          async *response(messages) {
            try {
              for await (const message of messages) yield [message];
            } catch (error) {
              yield [text(1, `caught ${(error as { code: number }).code}`)];
            }
          },
        },
      ],
      responses: [append("back")],
    },
  });
  const outcome = await client.call("ServerStream", [text(1, "instance")]);
  assert.equal(outcome.code, 0, outcome.details);
  assert.deepEqual(outcome.messages.map(texts), [
    [
      [1, "instance"],
      [9, "back"],
    ],
    [
      [1, "caught 5"],
      [9, "back"],
    ],
  ]);
  assert.equal((await bridge.metrics()).bridge.refusedTotal, 0);
});

test("scans and one field stay in the relay lane, together too; different fields are opened", async (t) => {
  const watched: number[] = [];
  const scan = () => ({
    field(number: number) {
      watched.push(number);
      if (number === 3) throw refusal();
      return Take.SKIP;
    },
    value() {},
    complete() {},
  });
  const twice = (value: Buffer | null) => Buffer.concat([value!, value!]);
  const { client, bridge } = await carriedOut(t, {
    Unary: {
      scans: [scan],
      heads: [
        { field: 1, rewrite: twice },
        { field: 1, rewrite: twice },
      ],
    },
    ClientStream: {
      heads: [
        { field: 1, rewrite: twice },
        { field: 2, rewrite: twice },
      ],
    },
  });
  const outcome = await client.call("Unary", [Buffer.concat([text(1, "ab"), text(2, "c")])]);
  assert.deepEqual(texts(outcome.messages[0]!), [
    [1, "abababab"],
    [2, "c"],
  ]);
  assert.deepEqual(watched, [1, 2]);
  const opened = await client.call("ClientStream", [Buffer.concat([text(1, "a"), text(2, "b")])]);
  assert.deepEqual(texts(opened.messages[0]!), [
    [1, "aa"],
    [2, "bb"],
  ]);
  const lanes = (await bridge.metrics()).calls.map(({ method, lane }) => [method.split("/")[2], lane]);
  assert.deepEqual(lanes.sort(), [
    ["ClientStream", "translate"],
    ["Unary", "relay"],
  ]);
  const refused = await client.call("Unary", [text(3, "x")]);
  assert.equal(refused.code, refusal().status);
});

test("a refusal has its status, four facts and details, and is counted, in whichever lane", async (t) => {
  const reject = () => {
    throw refusal();
  };
  const { client, bridge } = await carriedOut(t, {
    Unary: { lane: "reject", refusal },
    ServerStream: { lane: "translate", requests: [reject] },
    ClientStream: { lane: "translate", responses: [reject] },
  });
  for (const method of ["Unary", "ServerStream", "ClientStream"]) {
    const outcome = await client.call(method, [text(1, "x")]);
    assert.deepEqual([outcome.code, outcome.details], [refusal().status, refusal().message], method);
    const [details] = outcome.trailers.get("grpc-status-details-bin") as Buffer[];
    const { details: list } = decodeStatusDetails(details!.toString("base64"));
    assert.ok(list.length > 0);
  }
  assert.equal((await bridge.metrics()).bridge.refusedTotal, 3);
});

test("an error of the upstream passes with what came before and along with it, and is no refusal", async (t) => {
  const { client, bridge } = await carriedOut(t, {
    ServerStream: { lane: "translate", requests: [append("x")] },
  });
  const outcome = await client.call("ServerStream", [text(1, "first")]);
  assert.deepEqual([outcome.code, outcome.details], [5, "not there"]);
  assert.equal(outcome.messages.length, 1);
  assert.deepEqual(outcome.trailers.get("x-why"), ["because"]);
  assert.equal((await bridge.metrics()).bridge.refusedTotal, 0);
});

test("methods without an entry, and entries without anything to do, are relayed", async (t) => {
  const routes = planRoutes(planOf({ Unary: {} }), { dialect: SAFE_DIALECT });
  assert.equal(routes.size, 0);
  const { client } = await carriedOut(t, { Unary: {} });
  assert.equal((await client.call("Unary", [text(1, "x")])).code, 0);
});

test("exchanges serve a call by several calls of the upstream, each within the one before, within the hooks of messages", async (t) => {
  const { client } = await carriedOut(t, {
    Unary: {
      lane: "translate",
      requests: [append("there")],
      responses: [append("back")],
      exchanges: [
        {
          when: null,
          async *serve(requests, _call, _pair, forward) {
            for await (const request of requests) {
              const answers: Buffer[] = [];
              for (const half of [text(1, "a"), text(1, "b")]) {
                for await (const answer of forward([Buffer.concat([request, half])])) answers.push(answer);
              }
              yield answers;
            }
          },
        },
        {
          when: null,
          async *serve(requests, _call, _pair, forward) {
            for await (const answer of forward(requests)) yield [answer, text(2, "inner")];
          },
        },
        { when: () => false, serve: () => assert.fail("it has nothing to do with this call") },
      ],
    },
  });
  const mine = new grpc.Metadata();
  mine.set("x-mine", "m");
  const outcome = await client.call("Unary", [text(1, "q")], mine);
  assert.equal(outcome.code, 0, outcome.details);
  const each = (half: string) => [
    [1, "q"],
    [9, "there"],
    [1, half],
    [2, "inner"],
  ];
  assert.deepEqual(texts(outcome.messages[0]!), [...each("a"), ...each("b"), [9, "back"]]);
  assert.deepEqual([outcome.head?.get("x-begin"), outcome.trailers.get("x-end")], [["m"], ["e"]]);
});

test("an exchange ends the call with the upstream's own error, or with its own", async (t) => {
  const { client, bridge } = await carriedOut(t, {
    ServerStream: {
      lane: "translate",
      exchanges: [{ when: null, serve: (requests, _call, _pair, forward) => slices(forward(requests)) }],
    },
    ClientStream: {
      lane: "translate",
      exchanges: [
        {
          when: null,
          // biome-ignore lint/correctness/useYield: it refuses before it has an answer.
          async *serve(requests) {
            for await (const _ of requests) throw refusal();
          },
        },
      ],
    },
  });
  const failed = await client.call("ServerStream", [text(1, "first")]);
  assert.deepEqual([failed.code, failed.details, failed.messages.length], [5, "not there", 1]);
  assert.deepEqual(failed.trailers.get("x-why"), ["because"]);
  const refused = await client.call("ClientStream", [text(1, "x"), text(1, "y")]);
  assert.deepEqual([refused.code, refused.details], [refusal().status, refusal().message]);
  assert.equal((await bridge.metrics()).bridge.refusedTotal, 1);
});

test("calls are opened by what their first message says, and the others relayed", async (t) => {
  const seen: (readonly [number, boolean, number])[] = [];
  const { client, bridge } = await carriedOut(t, {
    ClientStream: {
      lane: "translate",
      opens: ({ bytes, whole, length }) => {
        seen.push([bytes.length, whole, length]);
        return bytes.includes("open");
      },
      requests: [append("edited")],
    },
  });
  const large = text(2, "x".repeat(100_000));
  for (const [first, edited] of [
    ["relay", false],
    ["open", true],
  ] as const) {
    const outcome = await client.call("ClientStream", [Buffer.concat([text(1, first), large]), text(3, "y")]);
    assert.equal(outcome.code, 0, outcome.details);
    const got = Buffer.concat(outcome.messages);
    assert.equal(got.includes("edited"), edited, first);
    assert.ok(got.includes(large) && got.includes(text(3, "y")));
  }
  const lengths = ["relay", "open"].map((first) => text(1, first).length + large.length);
  assert.deepEqual(
    seen,
    lengths.map((length) => [16 * 1024 - 5, false, length]),
  );
  assert.equal((await client.call("ClientStream", [])).code, 0);
  const lanes = (await bridge.metrics()).calls.map(({ lane, codes }) => [lane, codes[0]]);
  assert.deepEqual(lanes.sort(), [
    ["relay", 2],
    ["translate", 1],
  ]);
});

test("where calls are relayed time and again, one that is opened begins anew, in one piece or in several", async (t) => {
  const { client, bridge } = await carriedOut(t, {
    ClientStream: {
      lane: "translate",
      opens: ({ bytes }) => bytes.includes("open"),
      requests: [append("edited")],
    },
  });
  const relayed = async (times: number) => {
    for (let n = 0; n < times; n++) {
      const { code, messages } = await client.call("ClientStream", [text(1, "relay")]);
      assert.deepEqual([code, messages[0]?.includes("edited")], [0, false]);
    }
  };
  const opened = async (...requests: Buffer[]) => {
    const { code, messages, details } = await client.call("ClientStream", requests);
    assert.equal(code, 0, details);
    const got = Buffer.concat(messages);
    assert.ok(got.includes("edited"));
    for (const request of requests) assert.ok(got.includes(request));
  };
  await relayed(110);
  await opened(text(1, "open"));
  await opened(text(1, "open"));
  await relayed(110);
  await opened(Buffer.concat([text(1, "open"), text(2, "x".repeat(300_000))]), text(3, "y"));
  await relayed(110);
  assert.equal((await client.call("ClientStream", [])).code, 0);
  const { calls, bridge: own } = await bridge.metrics();
  const lanes = calls.map(({ lane, codes }) => [lane, codes[0]]);
  assert.deepEqual(lanes.sort(), [
    ["relay", 331],
    ["translate", 3],
  ]);
  assert.equal(own.refusedTotal, 0);
  client.close();
  await atRest(bridge);
});

async function* slices(messages: AsyncIterable<Buffer>) {
  for await (const message of messages) yield [message];
}
