import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Plan } from "../../src/plan/plan.ts";
import { editRequest, editResponse } from "../../src/plan/run-hooks.ts";
import { codec } from "../../src/spec/codec.ts";
import {
  BATCH_UPDATE_BLOBS,
  FETCH_BLOB,
  FETCH_DIRECTORY,
  FIND_MISSING_BLOBS,
  GET_TREE,
  PUSH_BLOB,
} from "../../src/translators/methods.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { Walker } from "../../src/wire/walker.ts";
import { call, client, plan, server } from "../translators/support.ts";
import { COMMON_REQUESTS, commonStore } from "./requests.ts";

// Laws of hooks that edit requests and responses. This pair has as many of them at work as there are.

const { upstream } = commonStore();

const pair = plan(
  client({ digestFunctions: [1], forms: { "hash-text": { writes: ["any-case"] } } }),
  server({
    digestFunctions: [1, 9, 2],
    forms: {
      "cache-writes": { reads: ["filled"] },
      "hash-text": { reads: ["lower"] },
      "output-directory-format": { reads: ["tree"] },
      "resource-names": { reads: ["plain"] },
    },
  }),
);

/** A client that names nothing it should before a server that wants it, and assets of a newer client at an older server. */
const unsaid = plan(
  client({ level: "2.4", digestFunctions: [9] }),
  server({ level: "2.4", digestFunctions: [1, 9] }),
);
const assets = plan(client(), server({ level: "2.8", digestFunctions: [1, 9] }));

type Case = readonly [path: string, message: Buffer, pair: Plan];

/** The requests with their hashes in upper case, so that there is something to do. */
const REQUESTS = [
  ...[...COMMON_REQUESTS].map(([path, message]): Case => {
    const text = message.toString("latin1").replace(/(?:[0-9a-f]){64}/g, (hash) => hash.toUpperCase());
    return [path, Buffer.from(text, "latin1"), pair];
  }),
  ...[FIND_MISSING_BLOBS, BATCH_UPDATE_BLOBS, GET_TREE].map(
    (path): Case => [path, COMMON_REQUESTS.get(path)!, unsaid],
  ),
  ...[FETCH_BLOB, FETCH_DIRECTORY].map((path): Case => [path, fetching(), assets]),
  [PUSH_BLOB, pushing(), assets] satisfies Case,
];

function fetching(): Buffer {
  const qualifiers = [{ name: "checksum.sri", value: "sha256-a sha512-b" }];
  return codec().encode("build.bazel.remote.asset.v1.FetchBlobRequest", { uris: ["u"], qualifiers });
}

function pushing(): Buffer {
  const qualifiers = [{ name: "checksum.sri", value: "sha256-a sha512-b" }];
  return codec().encode("build.bazel.remote.asset.v1.PushBlobRequest", { uris: ["u"], qualifiers });
}

/** Fields as `number:bytes`, in order. */
function fields(message: Buffer): string[] {
  const list: string[] = [];
  const field = new Walker(message);
  while (field.next())
    list.push(`${field.number}:${message.toString("hex", field.fieldStart, field.fieldEnd)}`);
  return list;
}

test("every such request is changed: the laws below have something to hold for", async () => {
  for (const [path, message, of] of REQUESTS) {
    const edited = await editRequest(of.methods.get(path)!, message, call(path, upstream));
    assert.notDeepEqual(edited, message, path);
  }
});

test("what was edited once is left alone by a second time", async () => {
  for (const [path, message, of] of REQUESTS) {
    const method = of.methods.get(path)!;
    const once = await editRequest(method, message, call(path, upstream));
    assert.equal(await editRequest(method, once, call(path, upstream)), once, path);
  }
});

test("unknown fields survive at the top of every request", async () => {
  const unknown = fc.array(fc.tuple(fc.integer({ min: 100, max: 5000 }), fc.uint8Array({ maxLength: 40 })), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...REQUESTS), unknown, async ([path, message, of], added) => {
      const out = new FieldWriter();
      for (const [number, bytes] of added) out.bytes(number, Buffer.from(bytes));
      const extra = out.toBuffer();
      const edited = await editRequest(
        of.methods.get(path)!,
        Buffer.concat([message, extra]),
        call(path, upstream),
      );
      assert.deepEqual(fields(edited).slice(-added.length), fields(extra));
    }),
    { numRuns: 100 },
  );
});

test("bytes of any kind are edited, refused as broken, or left alone", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...REQUESTS),
      fc.uint8Array({ maxLength: 60 }),
      async ([path, , of], bytes) => {
        const method = of.methods.get(path)!;
        const message = Buffer.from(bytes);
        try {
          const once = await editRequest(method, message, call(path, upstream));
          assert.equal(await editRequest(method, once, call(path, upstream)), once);
          await editResponse(method, message, call(path, upstream));
        } catch (error) {
          assert.ok(["WireError", "BridgeError"].includes((error as Error).name), String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("payloads are passed on, not copied", async () => {
  const data = Buffer.alloc(4 << 20, 7);
  const digest = new FieldWriter();
  digest.text(1, "ABCDEF01".repeat(8));
  const entry = new FieldWriter();
  entry.message(1, digest.finish());
  entry.bytes(2, data);
  const request = new FieldWriter();
  request.message(2, entry.finish());
  const message = request.toBuffer();
  for (const hook of pair.methods.get(BATCH_UPDATE_BLOBS)!.requests) {
    const slices = (await hook(message, call(BATCH_UPDATE_BLOBS))) ?? [];
    const own = slices.filter((slice) => slice.buffer !== message.buffer);
    assert.ok(own.reduce((sum, slice) => sum + slice.length, 0) < 4096);
  }
});
