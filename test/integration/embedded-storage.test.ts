import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { brotliCompressSync, deflateRawSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { enums } from "../../src/spec/generated/enums.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import { Status } from "../../src/wire/status.ts";
import { embedded, sha256, V2, type V2Message } from "../support/reapi-client.ts";

const FIND = "ContentAddressableStorage/FindMissingBlobs";
const UPDATE = "ContentAddressableStorage/BatchUpdateBlobs";
const READ = "ContentAddressableStorage/BatchReadBlobs";
const GET_TREE = "ContentAddressableStorage/GetTree";

type Missing = V2Message<"FindMissingBlobsResponse">;
type Updated = V2Message<"BatchUpdateBlobsResponse">;
type Read = V2Message<"BatchReadBlobsResponse">;
type Tree = V2Message<"GetTreeResponse">;

const { ZSTD, DEFLATE, BROTLI } = enums.Compressor;

for (const level of LEVELS) {
  test(`${level}: blobs are missing until they are stored, and then read back`, async (t) => {
    const { client } = await embedded(t, level);
    const [one, two] = [sha256("one"), sha256("two")];
    const before = await client.unary<Missing>(FIND, { blobDigests: [one, two] });
    assert.deepEqual(
      before.missingBlobDigests.map(({ hash }) => hash),
      [one.hash, two.hash],
    );
    await client.store("one");
    const after = await client.unary<Missing>(FIND, { blobDigests: [one, two] });
    assert.deepEqual(
      after.missingBlobDigests.map(({ hash }) => hash),
      [two.hash],
    );
    const { responses } = await client.unary<Read>(READ, { digests: [one, two] });
    assert.deepEqual(
      responses.map(({ digest, data, status }) => [digest?.hash, data.toString(), status?.code]),
      [
        [one.hash, "one", Status.OK],
        [two.hash, "", Status.NOT_FOUND],
      ],
    );
  });

  test(`${level}: an empty batch is answered, not refused`, async (t) => {
    const { client } = await embedded(t, level);
    assert.deepEqual((await client.unary<Updated>(UPDATE, {})).responses, []);
    assert.deepEqual((await client.unary<Read>(READ, {})).responses, []);
    assert.deepEqual((await client.unary<Missing>(FIND, {})).missingBlobDigests, []);
  });
}

test("the empty blob is there from 2.2 on, and has to be stored before", async (t) => {
  for (const [level, missing] of [
    ["2.1", 1],
    ["2.2", 0],
  ] as const) {
    const { client } = await embedded(t, level);
    const found = await client.unary<Missing>(FIND, { blobDigests: [sha256("")] });
    assert.equal(found.missingBlobDigests.length, missing, level);
    await client.store("");
    const then = await client.unary<Missing>(FIND, { blobDigests: [sha256("")] });
    assert.equal(then.missingBlobDigests.length, 0, level);
  }
});

test("a wrong hash, size or digest refuses that blob alone", async (t) => {
  const { client } = await embedded(t);
  const good = { digest: sha256("good"), data: Buffer.from("good") };
  const { hash } = sha256("other");
  const { responses } = await client.unary<Updated>(UPDATE, {
    requests: [
      good,
      { digest: { hash, sizeBytes: 4 }, data: Buffer.from("good") },
      { digest: { hash: good.digest.hash, sizeBytes: 5 }, data: Buffer.from("good") },
      { digest: { hash: good.digest.hash.toUpperCase(), sizeBytes: 4 }, data: Buffer.from("good") },
      { digest: { hash: "../../../etc/passwd", sizeBytes: 4 }, data: Buffer.from("good") },
      { data: Buffer.from("good") },
    ],
  });
  const bad = Status.INVALID_ARGUMENT;
  assert.deepEqual(
    responses.map(({ status }) => status?.code),
    [Status.OK, bad, bad, bad, bad, bad],
  );
});

test("a batch beyond the announced limit is refused as a whole", async (t) => {
  const { client } = await embedded(t);
  const { cacheCapabilities } = await client.unary<V2Message<"ServerCapabilities">>(
    "Capabilities/GetCapabilities",
    {},
  );
  const limit = Number(cacheCapabilities!.maxBatchTotalSizeBytes);
  await client.store(Buffer.alloc(limit, 1));
  await assert.rejects(client.store(Buffer.alloc(limit, 2), Buffer.alloc(1)), {
    code: Status.INVALID_ARGUMENT,
    message: /max_batch_total_size_bytes/,
  });
  const digests = [{ hash: sha256("x").hash, sizeBytes: limit + 1 }];
  await assert.rejects(client.unary(READ, { digests }), { code: Status.INVALID_ARGUMENT });
});

test("every offered digest function stores and finds its blobs, named or by the length of the hash", async (t) => {
  const { client } = await embedded(t);
  const data = Buffer.from("some content");
  const hashes = {
    SHA1: createHash("sha1").update(data).digest("hex"),
    MD5: createHash("md5").update(data).digest("hex"),
    SHA384: createHash("sha384").update(data).digest("hex"),
    SHA512: createHash("sha512").update(data).digest("hex"),
    BLAKE3: "1edabea435e688e8227aa2497e1d1c8ff311d6bab560c9f28d70b8d4845c8a84",
    GITSHA1: createHash("sha1").update("blob 12\0").update(data).digest("hex"),
  };
  for (const [name, hash] of Object.entries(hashes)) {
    const digestFunction = enums.DigestFunction[name as keyof typeof hashes];
    const digest = { hash, sizeBytes: data.length };
    const { responses } = await client.unary<Updated>(UPDATE, {
      requests: [{ digest, data }],
      digestFunction,
    });
    assert.equal(responses[0]?.status?.code, Status.OK, name);
    // Only functions of before 2.5 may be left to the length of the hash, so others are taken for SHA-1 and SHA-256.
    const unnamed = await client.unary<Missing>(FIND, { blobDigests: [digest] });
    assert.equal(unnamed.missingBlobDigests.length, ["GITSHA1", "BLAKE3"].includes(name) ? 1 : 0, name);
  }
});

test("a digest function that is not offered is refused with those that are", async (t) => {
  const { client } = await embedded(t);
  const request = { blobDigests: [sha256("x")], digestFunction: enums.DigestFunction.VSO };
  await assert.rejects(client.unary(FIND, request), {
    code: Status.INVALID_ARGUMENT,
    message: /does not offer VSO; it offers SHA256, SHA1/,
  });
  await assert.rejects(client.unary(FIND, { blobDigests: [{ hash: "abcd", sizeBytes: 1 }] }), {
    code: Status.INVALID_ARGUMENT,
  });
});

test("2018-11 takes a SHA-512 digest for a mistake", async (t) => {
  const { client } = await embedded(t, "2018-11");
  const hash = createHash("sha512").update("x").digest("hex");
  await assert.rejects(client.unary(FIND, { blobDigests: [{ hash, sizeBytes: 1 }] }), {
    code: Status.INVALID_ARGUMENT,
  });
});

test("batches carry compressed blobs where the level has them", async (t) => {
  const { client } = await embedded(t);
  const packed = [
    [ZSTD, zstdCompressSync],
    [DEFLATE, deflateRawSync],
    [BROTLI, brotliCompressSync],
  ] as const;
  for (const [compressor, compress] of packed) {
    const plain = Buffer.alloc(10_000, `compressor ${compressor} `);
    const digest = sha256(plain);
    const data = compress(plain);
    const { responses } = await client.unary<Updated>(UPDATE, { requests: [{ digest, data, compressor }] });
    assert.equal(responses[0]?.status?.code, Status.OK);
    const asIs = await client.unary<Read>(READ, { digests: [digest] });
    assert.deepEqual(asIs.responses[0]?.data, plain);
    assert.equal(asIs.responses[0]?.compressor, 0);
  }
  const digest = sha256(Buffer.alloc(10_000, `compressor ${ZSTD} `));
  const read = await client.unary<Read>(READ, { digests: [digest], acceptableCompressors: [ZSTD] });
  assert.equal(read.responses[0]?.compressor, ZSTD);
  assert.deepEqual(sha256(zstdDecompressSync(read.responses[0]!.data)), digest);
});

test("what decompresses to something else, or to far more, is refused", async (t) => {
  const { client } = await embedded(t);
  const digest = sha256("plain");
  const attempts = [
    zstdCompressSync(Buffer.from("not plain")),
    zstdCompressSync(Buffer.alloc(100_000_000)),
    Buffer.from("this is no zstd"),
    zstdCompressSync(Buffer.from("plain")).subarray(0, -1),
  ];
  const requests = attempts.map((data) => ({ digest, data, compressor: ZSTD }));
  const { responses } = await client.unary<Updated>(UPDATE, { requests });
  for (const { status } of responses) assert.equal(status?.code, Status.INVALID_ARGUMENT);
});

test("a server of before compression takes compressed data for the content, which has another hash", async (t) => {
  const { client } = await embedded(t, "2.2", { clientLevel: "2.3" });
  const plain = Buffer.alloc(1000);
  const request = { digest: sha256(plain), data: zstdCompressSync(plain), compressor: ZSTD };
  const { responses } = await client.unary<Updated>(UPDATE, { requests: [request] });
  assert.equal(responses[0]?.status?.code, Status.INVALID_ARGUMENT);
});

test("GetTree brings each directory once, parents first, byte for byte, in pages that can be resumed", async (t) => {
  const { client } = await embedded(t);
  const leaf = await client.storeMessage(`${V2}.Directory`, { files: [{ name: "f", digest: sha256("f") }] });
  const middle = await client.storeMessage(`${V2}.Directory`, {
    directories: ["a", "b"].map((name) => ({ name, digest: leaf })),
  });
  // Field 1000 is one the server does not know: it must come back all the same.
  const odd = Buffer.concat([client.codec.encode(`${V2}.Directory`, {}), Buffer.from("c23e0178", "hex")]);
  const [oddDigest] = await client.store(odd);
  const gone = { name: "gone", digest: sha256("never stored") };
  const root = await client.storeMessage(`${V2}.Directory`, {
    directories: [
      { name: "m", digest: middle },
      { name: "n", digest: leaf },
      { name: "o", digest: oddDigest! },
      gone,
    ],
  });
  const pages = await client.all<Tree>(GET_TREE, { rootDigest: root, pageSize: 2 });
  const digestsIn = (some: readonly Tree[]) =>
    some.flatMap(({ directories }) =>
      directories.map((each) => sha256(client.codec.encode(`${V2}.Directory`, each))),
    );
  assert.deepEqual(
    pages.map(({ directories }) => directories.length),
    [2, 2],
  );
  assert.deepEqual(digestsIn(pages), [root, middle, leaf, oddDigest]);
  const pageToken = pages[0]!.nextPageToken;
  const rest = await client.all<Tree>(GET_TREE, { rootDigest: root, pageSize: 2, pageToken });
  assert.deepEqual(digestsIn(rest), digestsIn(pages.slice(1)));
  assert.equal(rest.at(-1)?.nextPageToken, "");
});

test("GetTree refuses a missing root, a root that is no directory, and tokens it did not give", async (t) => {
  const { client } = await embedded(t);
  const ask = (request: object) => client.all<Tree>(GET_TREE, { ...request });
  await assert.rejects(ask({ rootDigest: sha256("nothing") }), { code: Status.NOT_FOUND });
  const [text] = await client.store("\x0f no protobuf");
  await assert.rejects(ask({ rootDigest: text }), { code: Status.INVALID_ARGUMENT });
  const root = await client.storeMessage(`${V2}.Directory`, {});
  await assert.rejects(ask({ rootDigest: root, pageToken: "x" }), { code: Status.INVALID_ARGUMENT });
  await assert.rejects(ask({ rootDigest: root, pageSize: -1 }), { code: Status.INVALID_ARGUMENT });
});

test("a request that is no protobuf gets INVALID_ARGUMENT", async (t) => {
  const { client } = await embedded(t);
  const call = client.unaryBytes(`/${V2}.${FIND}`, Buffer.from([0x12, 0xff]));
  await assert.rejects(call, { code: Status.INVALID_ARGUMENT, message: /FindMissingBlobsRequest/ });
});
