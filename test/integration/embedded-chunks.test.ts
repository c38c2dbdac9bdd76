import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { enums } from "../../src/spec/generated/enums.ts";
import { Status } from "../../src/wire/status.ts";
import {
  type BlobName,
  embedded,
  type ReapiClient,
  sha256,
  type V2Message,
} from "../support/reapi-client.ts";

const SPLIT = "ContentAddressableStorage/SplitBlob";
const SPLICE = "ContentAddressableStorage/SpliceBlob";

type Split = V2Message<"SplitBlobResponse">;

const nameOf = ({ hash, sizeBytes }: { hash: string; sizeBytes: number | bigint }) =>
  `blobs/${hash}/${sizeBytes}`;

async function upload(client: ReapiClient, blob: Buffer): Promise<BlobName> {
  const digest = sha256(blob);
  await client.write(`uploads/1/${nameOf(digest)}`, [blob]);
  return digest;
}

test("a large blob is split into chunks that are stored and make the whole, the same each time", async (t) => {
  const { client } = await embedded(t);
  const blob = randomBytes(5_000_000);
  const blobDigest = await upload(client, blob);
  const { chunkDigests, chunkingFunction } = await client.unary<Split>(SPLIT, { blobDigest });
  assert.equal(chunkingFunction, enums.ChunkingFunction.FAST_CDC_2020);
  assert.ok(chunkDigests.length > 2);
  const chunks: Buffer[] = [];
  for (const digest of chunkDigests) chunks.push(await client.read(nameOf(digest)));
  assert.deepEqual(Buffer.concat(chunks), blob);
  const again = await client.unary<Split>(SPLIT, { blobDigest });
  assert.deepEqual(again.chunkDigests, chunkDigests);
});

test("a small blob is its own only chunk; a missing one is NOT_FOUND", async (t) => {
  const { client } = await embedded(t);
  const [blobDigest] = await client.store("small");
  const { chunkDigests } = await client.unary<Split>(SPLIT, { blobDigest });
  assert.deepEqual(
    chunkDigests.map(({ hash }) => hash),
    [blobDigest!.hash],
  );
  await assert.rejects(client.unary(SPLIT, { blobDigest: sha256("none") }), { code: Status.NOT_FOUND });
});

test("chunks are spliced into the blob they make, and into no other", async (t) => {
  const { client } = await embedded(t);
  const chunkDigests = await client.store("one ", "two ", "three");
  const whole = sha256("one two three");
  await client.unary(SPLICE, { blobDigest: whole, chunkDigests });
  assert.equal((await client.read(nameOf(whole))).toString(), "one two three");
  await client.unary(SPLICE, { blobDigest: whole, chunkDigests });
  const refused = { code: Status.INVALID_ARGUMENT };
  const swapped = [chunkDigests[1], chunkDigests[0], chunkDigests[2]];
  const other = sha256("two two three");
  await assert.rejects(client.unary(SPLICE, { blobDigest: other, chunkDigests: swapped }), refused);
  await assert.rejects(client.read(nameOf(other)), { code: Status.NOT_FOUND });
  await assert.rejects(client.unary(SPLICE, { blobDigest: whole, chunkDigests: [chunkDigests[0]] }), refused);
  await assert.rejects(client.unary(SPLICE, { chunkDigests }), refused);
  const missing = { blobDigest: sha256("none"), chunkDigests: [sha256("none")] };
  await assert.rejects(client.unary(SPLICE, missing), { code: Status.NOT_FOUND });
});
