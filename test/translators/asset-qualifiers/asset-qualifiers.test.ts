import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { FETCH_BLOB } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { badRequestDetail } from "../../../src/wire/error-details.ts";
import { Status } from "../../../src/wire/status.ts";
import { encodeStatusDetails } from "../../../src/wire/status-details.ts";
import { call, client, forwards, plan, server } from "../support.ts";

const REQUEST = "build.bazel.remote.asset.v1.FetchBlobRequest";
const REPLY = Buffer.from([0x12, 0x01, 0x75]);
const evidence = "a test";
const strict = server({ facts: { assets: { qualifiers: "refused", evidence } } });
const pair = plan(client(), strict, { "asset-qualifiers": "require" });

const fetching = (...names: string[]) =>
  codec().encode(REQUEST, { uris: ["u"], qualifiers: names.map((name) => ({ name, value: "v" })) });

function refusal(names: readonly string[], field = "qualifiers.name"): UpstreamError {
  const violations = names.map((name) => ({ field, description: `"${name}" not supported` }));
  const status = { code: Status.INVALID_ARGUMENT, message: "no", details: [badRequestDetail(violations)] };
  return new UpstreamError(status.code, status.message, encodeStatusDetails(status));
}

/** The requests that an upstream gets that refuses the first with `error`, and the answer that the client gets. */
async function exchanged(request: Buffer, ...errors: UpstreamError[]) {
  const [exchange] = pair.methods.get(FETCH_BLOB)!.exchanges;
  const sent: Buffer[] = [];
  async function* requests() {
    yield request;
  }
  const forward = async function* (messages: Iterable<Buffer> | AsyncIterable<Buffer>) {
    for await (const message of messages) {
      sent.push(message);
      const error = errors.shift();
      if (error !== undefined) throw error;
      yield REPLY;
    }
  };
  const answers: Buffer[] = [];
  try {
    for await (const slices of exchange!.serve(requests(), call(FETCH_BLOB), pair.pair, forwards(forward)))
      answers.push(...slices);
  } catch (error) {
    return { sent, answers, error };
  }
  return { sent, answers, error: null };
}

test("given a refusal over a qualifier, when a checksum remains, then the fetch is tried once without it", async () => {
  const { sent, answers } = await exchanged(fetching("a", "checksum.sri", "b"), refusal(["b", "a"]));
  assert.deepEqual(sent[1], fetching("checksum.sri"));
  assert.deepEqual(answers, [REPLY]);
  const second = refusal(["c"]);
  const again = await exchanged(fetching("a", "checksum.sri", "c"), refusal(["a"]), second);
  assert.deepEqual([again.sent.length, again.error], [2, second]);
});

test("given any other failure, or nothing that would vouch for the content, then the error is the server's own", async () => {
  for (const [request, error] of [
    [fetching("a"), refusal(["a"])],
    [fetching("a", "checksum.sri"), refusal(["checksum.sri", "a"])],
    [fetching("a", "checksum.sri"), refusal(["b"])],
    [fetching("a", "checksum.sri"), refusal(["a"], "uris")],
    [fetching("a", "checksum.sri"), new UpstreamError(Status.INVALID_ARGUMENT, "a not supported")],
    [fetching("a", "checksum.sri"), new UpstreamError(Status.NOT_FOUND, "no")],
  ] as const) {
    const tried = await exchanged(request, error);
    assert.deepEqual([tried.sent.length, tried.error], [1, error]);
  }
  const { sent, answers } = await exchanged(fetching("a", "checksum.sri"));
  assert.deepEqual([sent.length, answers], [1, [REPLY]]);
});

test("given no such policy, or a server that leaves them aside, then the call is relayed", () => {
  const facts = { assets: { qualifiers: "ignored", evidence } } as const;
  for (const { methods } of [
    plan(client(), strict),
    plan(client(), server({ facts }), { "asset-qualifiers": "require" }),
    plan(client(), server(), { "asset-qualifiers": "require" }),
  ])
    assert.ok(!methods.get(FETCH_BLOB)?.features.includes("asset-qualifiers"));
});
