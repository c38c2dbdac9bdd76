import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest, editResponse } from "../../../src/plan/run-hooks.ts";
import { SPLICE_BLOB, SPLIT_BLOB } from "../../../src/translators/methods.ts";
import { type Digest, encodeDigest } from "../../../src/wire/digest.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { Status } from "../../../src/wire/status.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { endsIn } from "../served.ts";
import { call, client, plan, server, whole } from "../support.ts";

interface Parts {
  readonly blob?: Digest;
  readonly chunks?: readonly Digest[];
  readonly indirect?: Digest;
}

/** A message with these fields, and one that nobody knows. */
function messageOf(list: number, { blob, chunks = [], indirect }: Parts): Buffer {
  const out = new FieldWriter();
  if (blob !== undefined) out.bytes(2, encodeDigest(blob));
  for (const chunk of chunks) out.bytes(list, encodeDigest(chunk));
  if (indirect !== undefined) out.bytes(6, encodeDigest(indirect));
  out.text(500, "of tomorrow");
  return out.toBuffer();
}

const spliceRequest = (parts: Parts) => messageOf(3, parts);
const splitResponse = (parts: Parts) => messageOf(1, parts);

function listOf(chunks: readonly Digest[]): Buffer {
  const out = new FieldWriter();
  for (const chunk of chunks) out.bytes(1, encodeDigest(chunk));
  return out.toBuffer();
}

const CHUNKS = [10, 20, 30, 40].map((sizeBytes) => ({ hash: String(sizeBytes).repeat(32), sizeBytes }));
const BLOB = { hash: "ab".repeat(32), sizeBytes: 100 };

const clientAhead = plan(client({ level: null }), server());
const serverAhead = plan(client(), server({ forms: { "indirect-chunks": { writes: ["indirect"] } } }));

const splice = (request: Buffer, upstream: MemoryUpstream) =>
  editRequest(clientAhead.methods.get(SPLICE_BLOB)!, request, call(SPLICE_BLOB, upstream));

async function split(response: Buffer, upstream: MemoryUpstream): Promise<Buffer> {
  const method = serverAhead.methods.get(SPLIT_BLOB)!;
  const hooked = call(SPLIT_BLOB, upstream);
  await editRequest(method, messageOf(3, { blob: BLOB }), hooked);
  return editResponse(method, response, hooked);
}

test("given a client whose list goes on in a blob, then the server gets it whole, and all else as it was", async () => {
  const upstream = new MemoryUpstream();
  for (const [direct, listed] of [
    [CHUNKS.slice(0, 1), CHUNKS.slice(1)],
    [[], CHUNKS],
    // A blob that repeats what is in the message: its size tells.
    [CHUNKS.slice(0, 2), CHUNKS],
  ]) {
    const indirect = upstream.put(listOf(listed!));
    const request = spliceRequest({ blob: BLOB, chunks: direct!, indirect });
    assert.deepEqual(await splice(request, upstream), spliceRequest({ blob: BLOB, chunks: CHUNKS }));
  }
});

test("given a list in the message, then it is relayed", async () => {
  const { opens } = clientAhead.methods.get(SPLICE_BLOB)!;
  const plain = spliceRequest({ blob: BLOB, chunks: CHUNKS });
  assert.equal(opens!(whole(plain)), false);
  assert.equal(opens!(whole(spliceRequest({ blob: BLOB, indirect: BLOB }))), true);
  assert.equal(await splice(plain, new MemoryUpstream()), plain);
});

test("given a list that makes another size, that is not there, or is too long, then the client is told", async () => {
  const upstream = new MemoryUpstream();
  const short = upstream.put(listOf(CHUNKS.slice(0, 3)));
  const cases: readonly [Digest, number, RegExp][] = [
    [short, Status.INVALID_ARGUMENT, /60 bytes together, the blob has 100/],
    [BLOB, Status.NOT_FOUND, /not here/],
    [
      { ...BLOB, sizeBytes: 1 << 30 },
      Status.INVALID_ARGUMENT,
      /indirect_chunk_list was used.*\[request-unsupported, P02/,
    ],
  ];
  for (const [indirect, code, text] of cases) {
    const [actual, message] = await endsIn(splice(spliceRequest({ blob: BLOB, indirect }), upstream));
    assert.equal(actual, code, message);
    assert.match(message, text);
  }
});

test("given a server whose list goes on in a blob, then an older client gets it whole", async () => {
  const upstream = new MemoryUpstream();
  const indirect = upstream.put(listOf(CHUNKS.slice(2)));
  const response = splitResponse({ chunks: CHUNKS.slice(0, 2), indirect });
  assert.deepEqual(await split(response, upstream), splitResponse({ chunks: CHUNKS }));
  const plain = splitResponse({ chunks: CHUNKS });
  assert.equal(await split(plain, upstream), plain);
});

test("given a list that does not fit into the answer, then the client does not take a part of it for the whole", async () => {
  const response = splitResponse({ chunks: CHUNKS, indirect: { ...BLOB, sizeBytes: 1 << 30 } });
  const [code, message] = await endsIn(split(response, new MemoryUpstream()));
  assert.equal(code, Status.INVALID_ARGUMENT);
  assert.match(message, /SplitBlobResponse\.indirect_chunk_list/);
});

test("given a client that knows the indirection, then it gets the answer as it is", () => {
  const knows = { "indirect-chunks": { reads: ["indirect", "direct"], writes: ["indirect", "direct"] } };
  const pair = plan(client({ forms: knows }), server({ forms: knows }));
  assert.deepEqual([pair.methods.get(SPLIT_BLOB), pair.methods.get(SPLICE_BLOB)], [undefined, undefined]);
});
