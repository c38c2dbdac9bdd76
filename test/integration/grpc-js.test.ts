import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { type TestContext, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { bridgeTo } from "../support/bridge.ts";
import { GrpcClient, grpcServer, type Handlers, type Outcome, outcomeOf } from "../support/grpc.ts";

// Whatever a grpc-js client and a grpc-js server do with each other, they do it the same way through the bridge.

/** Everything that a caller can see of a call, the time of day excepted. */
function seen({ code, details, messages, head, trailers }: Outcome) {
  const shown = head?.toJSON();
  if (shown !== undefined && "date" in shown) Object.assign(shown, { date: ["some time"] });
  return { code, details, messages, head: shown, trailers: trailers.toJSON() };
}

/** Does the same to the server directly and through the bridge, and returns the one outcome. */
async function both(
  t: TestContext,
  handlers: Handlers,
  run: (client: GrpcClient) => Promise<Outcome>,
  options: grpc.ClientOptions = {},
): Promise<Outcome> {
  const server = await grpcServer(t, handlers);
  // The bridge changes :authority unless told not to, and a test shows it.
  const bridge = await bridgeTo(t, server, { upstream: { authority: "client" } });
  const shared = { "grpc.default_authority": "farm.test", ...options };
  const direct = await run(new GrpcClient(t, server, undefined, shared));
  const bridged = await run(new GrpcClient(t, bridge.address, undefined, shared));
  assert.deepEqual(seen(bridged), seen(direct));
  return bridged;
}

const bytes = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

test("unary: message, metadata both ways, duplicate and binary keys", async (t) => {
  const sent = new grpc.Metadata();
  sent.add("x-twice", "one");
  sent.add("x-twice", "two");
  sent.add("x-bytes-bin", Buffer.of(0, 255, 1));
  sent.add("build.bazel.remote.execution.v2.requestmetadata-bin", Buffer.from("tool"));
  const outcome = await both(
    t,
    {
      Unary(call, done) {
        const head = new grpc.Metadata();
        const got = call.metadata.toJSON();
        head.add("x-got", JSON.stringify(got));
        head.add("x-host", call.getHost());
        call.sendMetadata(head);
        const trailers = new grpc.Metadata();
        trailers.add("x-end-bin", Buffer.alloc(300, 7));
        trailers.add("x-end", "a");
        trailers.add("x-end", "b");
        done(null, Buffer.concat([call.request, Buffer.from("!")]), trailers);
      },
    },
    (client) => client.call("Unary", bytes("hello"), sent),
  );
  assert.deepEqual([outcome.code, outcome.messages], [0, bytes("hello!")]);
  const got = JSON.parse(String(outcome.head!.get("x-got")[0])) as Record<string, unknown>;
  assert.deepEqual(got["x-twice"], ["one, two"]);
  assert.deepEqual(outcome.head!.get("x-host"), ["farm.test"]);
  assert.deepEqual(outcome.trailers.get("x-end-bin"), [Buffer.alloc(300, 7)]);
});

test("server streaming: a thousand messages in order", async (t) => {
  const outcome = await both(
    t,
    {
      ServerStream(call) {
        for (let i = 0; i < 1000; i++) call.write(Buffer.from(`${call.request} ${i}`));
        call.end();
      },
    },
    (client) => client.call("ServerStream", bytes("line")),
  );
  assert.equal(outcome.messages.length, 1000);
  assert.equal(String(outcome.messages[999]), "line 999");
});

test("client streaming: a thousand messages and one answer", async (t) => {
  const outcome = await both(
    t,
    {
      ClientStream(call, done) {
        let count = 0;
        let size = 0;
        call.on("data", (message: Buffer) => {
          count++;
          size += message.length;
        });
        call.on("end", () => done(null, Buffer.from(`${count} messages, ${size} bytes`)));
      },
    },
    (client) =>
      client.call(
        "ClientStream",
        Array.from({ length: 1000 }, () => Buffer.alloc(3000)),
      ),
  );
  assert.equal(String(outcome.messages[0]), "1000 messages, 3000000 bytes");
});

const echo: Handlers = {
  Bidi(call) {
    call.on("data", (message) => void call.write(message));
    call.on("end", () => call.end());
  },
};

test("bidirectional: each message is answered before the next is sent", async (t) => {
  const outcome = await both(t, echo, async (client) => {
    const call = client.open("Bidi");
    const outcome = outcomeOf(call);
    for (let i = 0; i < 20; i++) {
      const answer = once(call, "data");
      call.write(Buffer.from(`turn ${i}`));
      await answer;
    }
    call.end();
    return outcome;
  });
  assert.equal(outcome.messages.length, 20);
});

test("an empty message and one of 3 MB", async (t) => {
  const large = Buffer.alloc(3_000_000, "large");
  const outcome = await both(t, echo, (client) => client.call("Bidi", [Buffer.alloc(0), large]));
  assert.deepEqual(
    outcome.messages.map((message) => message.length),
    [0, 3_000_000],
  );
  assert.ok(outcome.messages[1]!.equals(large));
});

for (const algorithm of [1, 2]) {
  test(`compressed messages pass as they are (${grpc.compressionAlgorithms[algorithm]})`, async (t) => {
    const outcome = await both(t, echo, (client) => client.call("Bidi", [Buffer.alloc(100_000, "x")]), {
      "grpc.default_compression_algorithm": algorithm,
    });
    assert.equal(outcome.code, 0);
    assert.ok(outcome.messages[0]!.equals(Buffer.alloc(100_000, "x")));
  });
}

test("an error keeps its code, its message in any script, and its details", async (t) => {
  const details = Buffer.from("0805120377687912021a00", "hex");
  const outcome = await both(
    t,
    {
      Unary(_, done) {
        const metadata = new grpc.Metadata();
        metadata.set("grpc-status-details-bin", details);
        done({ code: grpc.status.FAILED_PRECONDITION, details: "größer als 100 % — 错误", metadata });
      },
    },
    (client) => client.call("Unary", bytes("x")),
  );
  assert.deepEqual(
    [outcome.code, outcome.details],
    [grpc.status.FAILED_PRECONDITION, "größer als 100 % — 错误"],
  );
  assert.deepEqual(outcome.trailers.get("grpc-status-details-bin"), [details]);
});

test("an error after some messages", async (t) => {
  const outcome = await both(
    t,
    {
      ServerStream(call) {
        call.write(Buffer.from("one"));
        call.emit("error", { code: grpc.status.DATA_LOSS, details: "no more" });
      },
    },
    (client) => client.call("ServerStream", bytes("x")),
  );
  assert.deepEqual([outcome.code, outcome.messages], [grpc.status.DATA_LOSS, bytes("one")]);
});

test("a method nobody knows is the server's to refuse", async (t) => {
  const outcome = await both(t, echo, (client) => client.call("Dance", bytes("x")));
  assert.equal(outcome.code, grpc.status.UNIMPLEMENTED);
  assert.match(outcome.details, /Dance/);
});

test("the server sees the caller's deadline, and the caller gets DEADLINE_EXCEEDED", async (t) => {
  const remaining: number[] = [];
  const outcome = await both(
    t,
    {
      Unary(call) {
        remaining.push((call.getDeadline() as number) - Date.now());
      },
    },
    async (client) => {
      const { head, trailers, ...rest } = await client.call("Unary", bytes("x"), undefined, {
        deadline: Date.now() + 400,
      });
      // The client's own message tells how the time went by.
      return { ...rest, details: "", head: null, trailers: new grpc.Metadata() };
    },
  );
  assert.equal(outcome.code, grpc.status.DEADLINE_EXCEEDED);
  for (const ms of remaining) assert.ok(ms > 0 && ms <= 400, `${ms} ms`);
  assert.equal(remaining.length, 2);
});

test("a cancelled call is cancelled at the server", async (t) => {
  const cancelled = new EventEmitter();
  const outcome = await both(
    t,
    {
      Bidi(call) {
        call.on("cancelled", () => cancelled.emit("yes"));
        call.on("data", (message) => void call.write(message));
      },
    },
    async (client) => {
      const call = client.open("Bidi");
      const outcome = outcomeOf(call);
      const answer = once(call, "data");
      call.write(Buffer.from("hi"));
      await answer;
      const told = once(cancelled, "yes");
      call.cancel();
      await told;
      return outcome;
    },
  );
  assert.equal(outcome.code, grpc.status.CANCELLED);
});

test("an answer before the request has ended", async (t) => {
  const outcome = await both(
    t,
    {
      Bidi(call) {
        call.once("data", () => {
          call.write(Buffer.from("enough"));
          call.end();
        });
      },
    },
    (client) => {
      const call = client.open("Bidi");
      call.write(Buffer.from("first"));
      return outcomeOf(call);
    },
  );
  assert.deepEqual([outcome.code, outcome.messages], [0, bytes("enough")]);
});

test("two hundred calls at once on one connection", async (t) => {
  const server = await grpcServer(t, echo);
  const bridge = await bridgeTo(t, server);
  const client = new GrpcClient(t, bridge.address);
  const calls = Array.from({ length: 200 }, (_, i) => client.call("Bidi", bytes(`call ${i}`, "b")));
  for (const [i, outcome] of (await Promise.all(calls)).entries()) {
    assert.deepEqual([outcome.code, outcome.messages], [0, bytes(`call ${i}`, "b")]);
  }
  assert.equal((await bridge.metrics()).client.connectionsTotal, 1);
});
