import assert from "node:assert/strict";
import { test } from "node:test";
import { EXECUTE, GET_TREE } from "../../../src/translators/methods.ts";
import { payloadsOf } from "../../../src/wire/fields.ts";
import { Status } from "../../../src/wire/status.ts";
import { collect } from "../../support/collect.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { endsIn, exchanged } from "../served.ts";
import { client, plan, server, whole } from "../support.ts";
import { planted, reachable, treeRequest } from "./trees.ts";

const paging = (are: "ignored" | "refused") =>
  plan(
    client(),
    server({
      facts: { treePages: { are, evidence: "the test" } },
      forms: { "get-tree": { reads: ["whole", "absent"] } },
    }),
  );

const root = { hash: "ab".repeat(32), sizeBytes: 7 };
const opens = (pair: ReturnType<typeof paging>, request: Buffer) =>
  pair.methods.get(GET_TREE)!.opens!(whole(request));

test("given a server that ignores pages, then a page token is served by walking, and a size passes", async () => {
  const pair = paging("ignored");
  assert.equal(opens(pair, treeRequest(root)), false);
  assert.equal(opens(pair, treeRequest(root, { pageSize: 10 })), false);
  assert.equal(opens(pair, treeRequest(root, { pageToken: "x" })), true);
  const upstream = new MemoryUpstream();
  const tree = planted(upstream, { a: { b: {} } });
  const request = treeRequest(tree, { pageToken: "garbage" });
  const [code] = await endsIn(exchanged(pair, GET_TREE, [request], upstream));
  assert.equal(code, Status.INVALID_ARGUMENT);
});

test("given a server that refuses pages, then both are served by walking, and all else is relayed", async () => {
  const pair = paging("refused");
  assert.equal(opens(pair, treeRequest(root)), false);
  assert.equal(opens(pair, treeRequest(root, { pageToken: "x" })), true);
  const upstream = new MemoryUpstream();
  const tree = planted(upstream, { a: { b: {} } });
  const request = treeRequest(tree, { pageSize: 2 });
  assert.equal(opens(pair, request), true);
  const messages = await collect(exchanged(pair, GET_TREE, [request], upstream));
  assert.deepEqual(
    messages.map((message) => payloadsOf(message, 1).length),
    [2, 1],
  );
  assert.equal(reachable(upstream, tree).size, 3);
});

test("given a server that encodes directories again, then it is asked by those alone whose attributes it knows", () => {
  const between = (written: string[], read: string[]) =>
    plan(
      client({ forms: { "node-properties": { writes: written } } }),
      server({ forms: { "get-tree": { reads: ["recoded", "absent"] }, "node-properties": { reads: read } } }),
    );
  assert.equal(opens(between(["none"], ["none"]), treeRequest(root)), false);
  assert.equal(opens(between(["message", "none"], ["some", "none"]), treeRequest(root)), false);
  assert.equal(opens(between(["list", "none"], ["message", "none"]), treeRequest(root)), true);
});

test("given a server with GetTree, then its answers are relayed", () => {
  const { methods } = plan(client(), server());
  assert.equal(methods.get(GET_TREE), undefined);
  assert.equal(methods.get(EXECUTE), undefined);
});
