/** How servers that are played take and give blobs, and which names they take: expectations by hand, from what is known of the servers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { digestFunctionByNumber } from "../../src/wire/digest-function.ts";
import { digestOf } from "../../src/wire/hasher.ts";
import { Status } from "../../src/wire/status.ts";
import { playing } from "../support/played-server.ts";
import { CallFailed, type ReapiClient, sha256, type V2Message } from "../support/reapi-client.ts";

const STORAGE = "ContentAddressableStorage";
const BLOB = Buffer.alloc(1_000, "blob");
const PACKED = zstdCompressSync(BLOB);
const NAME = nameOf(BLOB);
const ZSTD = NAME.replace("blobs", "compressed-blobs/zstd");

function nameOf(blob: Buffer): string {
  const { hash, sizeBytes } = sha256(blob);
  return `blobs/${hash}/${sizeBytes}`;
}

/** The committed size of a compressed upload, and of the same once more. */
async function committed(client: ReapiClient): Promise<number[]> {
  const first = await client.write(`uploads/1/${ZSTD}`, [PACKED]);
  return [first, await client.write(`uploads/2/${ZSTD}`, [PACKED])];
}

test("committed_size of compressed uploads: bytes received, -1 always, the blob's", async (t) => {
  const { client: bazelRemote } = await playing(t, "bazel-remote@2.3.4");
  assert.deepEqual(await committed(bazelRemote), [PACKED.length, -1]);
  const { client: buildfarm } = await playing(t, "buildfarm@2.15");
  assert.deepEqual(await committed(buildfarm), [-1, -1]);
  const { client: kajiya } = await playing(t, "kajiya");
  assert.deepEqual(await committed(kajiya), [BLOB.length, BLOB.length]);
  const { client: nativelink } = await playing(t, "nativelink@1.6", { optional: true });
  assert.deepEqual(await committed(nativelink), [PACKED.length, -1]);
});

test("compressed names where no compressor is offered cannot be read", async (t) => {
  const { client } = await playing(t, "nativelink@1.6");
  await assert.rejects(committed(client), { code: Status.INVALID_ARGUMENT });
  const { client: older } = await playing(t, "buildfarm@1.17");
  await assert.rejects(committed(older), { code: Status.INVALID_ARGUMENT });
});

test("parts of blobs: Buildbarn takes no limit, bazel-remote fails after sending, Buildfarm has both ends", async (t) => {
  const { client: buildbarn } = await playing(t, "buildbarn@2026-03-26", { optional: true });
  await buildbarn.store(BLOB);
  await assert.rejects(buildbarn.read(NAME, 0, 10), { code: Status.UNIMPLEMENTED });
  assert.deepEqual(await buildbarn.read(NAME, 990), BLOB.subarray(990));
  // It does not look at the offset of a compressed read.
  assert.deepEqual(zstdDecompressSync(await buildbarn.read(ZSTD, 990)), BLOB);

  const { client: bazelRemote } = await playing(t, "bazel-remote@2.5");
  await bazelRemote.store(BLOB);
  const read = bazelRemote.stream<{ data: Uint8Array }>("/google.bytestream.ByteStream/Read", {
    resourceName: NAME,
    readLimit: 10,
  });
  let sent = 0;
  await assert.rejects(
    async () => {
      for await (const { data } of read) sent += data.length;
    },
    { code: Status.OUT_OF_RANGE },
  );
  assert.equal(sent, 10);
  assert.deepEqual(await bazelRemote.read(NAME, 0, BLOB.length), BLOB);

  const { client: buildfarm } = await playing(t, "buildfarm@1.17");
  await buildfarm.store(BLOB);
  assert.deepEqual(await buildfarm.read(NAME, 10, 20), BLOB.subarray(10, 30));
});

test("the state of an upload: where Buildfarm stands, nothing from bazel-remote until it is done", async (t) => {
  const standing = async (name: string) => {
    const { client } = await playing(t, name);
    const query = (resourceName: string) =>
      client.unary<{ committedSize: bigint; complete: boolean }>(
        "/google.bytestream.ByteStream/QueryWriteStatus",
        { resourceName },
      );
    const resourceName = `uploads/1/${NAME}`;
    const write = client.openWrite();
    await write.send({ resourceName, data: BLOB.subarray(0, 400) });
    write.end();
    await write.response;
    const before = await query(resourceName);
    await client.write(`uploads/2/${NAME}`, [BLOB]);
    const after = await query(resourceName);
    return [Number(before.committedSize), Number(after.committedSize), after.complete];
  };
  assert.deepEqual(await standing("buildfarm@1.17"), [400, 1_000, true]);
  assert.deepEqual(await standing("bazel-remote@2.3"), [0, 1_000, true]);
});

test("a full batch of Buildfarm does not fit its message limit; NativeLink's limit is 64 KiB", async (t) => {
  const { client: buildfarm } = await playing(t, "buildfarm@1.17");
  const blobs = [Buffer.alloc(2_097_152, "a"), Buffer.alloc(2_097_152, "b")];
  await assert.rejects(buildfarm.store(...blobs), { code: Status.RESOURCE_EXHAUSTED });
  for (const blob of blobs) await buildfarm.store(blob);
  const digests = blobs.map(sha256);
  await assert.rejects(buildfarm.unary(`${STORAGE}/BatchReadBlobs`, { digests }), {
    code: Status.INVALID_ARGUMENT,
    message: /bytes in all/,
  });
  const { client: nativelink } = await playing(t, "nativelink@1.1");
  await nativelink.store(Buffer.alloc(65_536));
  await assert.rejects(nativelink.store(Buffer.alloc(65_537)), { code: Status.INVALID_ARGUMENT });
});

test("a server that announces no batch limit takes larger ones than the levels do, up to a message of gRPC", async (t) => {
  const { client } = await playing(t, "buildbuddy@2022");
  await client.store(Buffer.alloc(4_190_000));
  await assert.rejects(client.store(Buffer.alloc(5_000_000)), { code: Status.RESOURCE_EXHAUSTED });
});

test("a blob above the announced limit is refused by its name", async (t) => {
  const { client } = await playing(t, "bazel-remote@2.6");
  const { cacheCapabilities } = await client.unary<V2Message<"ServerCapabilities">>(
    "Capabilities/GetCapabilities",
    {},
  );
  const limit = Number(cacheCapabilities!.maxCasBlobSizeBytes);
  assert.ok(limit > 0);
  const { hash } = sha256("large");
  await assert.rejects(client.write(`uploads/1/blobs/${hash}/${limit + 1}`, [BLOB]), {
    code: Status.INVALID_ARGUMENT,
    message: /more than max_cas_blob_size_bytes/,
  });
});

test("pages of trees: honoured, one stream whatever is asked, refused", async (t) => {
  const ask = async (name: string, request: object) => {
    const { client } = await playing(t, name);
    const child = await client.storeMessage("build.bazel.remote.execution.v2.Directory", {
      symlinks: [{ name: "x", target: "y" }],
    });
    const rootDigest = await client.storeMessage("build.bazel.remote.execution.v2.Directory", {
      directories: [{ name: "child", digest: child }],
    });
    const pages = await client.all<V2Message<"GetTreeResponse">>(`${STORAGE}/GetTree`, {
      rootDigest,
      ...request,
    });
    return pages.map(({ directories }) => directories.length);
  };
  assert.deepEqual(await ask("buildfarm@1.17", { pageSize: 1 }), [1, 1]);
  assert.deepEqual(await ask("bazel-remote@2.5", { pageSize: 1, pageToken: "?" }), [2]);
  await assert.rejects(ask("please-servers", { pageSize: 1 }), { code: Status.UNIMPLEMENTED });
  assert.deepEqual(await ask("please-servers", {}), [2]);
});

test("bazel-remote reads no segment for the function and no text after the size; Buildfarm 1.17 reads both", async (t) => {
  const unreadable = { code: Status.INVALID_ARGUMENT, message: /Unable to parse resource name/ };
  const withFunction = NAME.replace("blobs/", "blobs/sha256/");
  const { client: bazelRemote } = await playing(t, "bazel-remote@2.6");
  await bazelRemote.store(BLOB);
  assert.deepEqual(await bazelRemote.read(`any/instance/${NAME}`), BLOB);
  await assert.rejects(bazelRemote.read(withFunction), unreadable);
  await assert.rejects(bazelRemote.read(`${NAME}/file.txt`), unreadable);
  const { client: buildfarm } = await playing(t, "buildfarm@1.17");
  await buildfarm.store(BLOB);
  assert.deepEqual(await buildfarm.read(withFunction), BLOB);
  assert.deepEqual(await buildfarm.read(`${NAME}/file.txt`), BLOB);
});

test("instance names: configured ones, prefixes, a form, any", async (t) => {
  const find = (client: ReapiClient, instanceName: string) =>
    client.unary(`${STORAGE}/FindMissingBlobs`, { instanceName }).then(
      () => "OK",
      (error: unknown) => (error instanceof CallFailed ? error.message : error),
    );
  const { client: buildgrid } = await playing(t, "buildgrid@2019", { instances: ["main", "dev"] });
  assert.equal(await find(buildgrid, "main"), "OK");
  assert.equal(await find(buildgrid, "dev"), "OK");
  assert.equal(await find(buildgrid, "other"), "Invalid instance name");
  await assert.rejects(buildgrid.read(`other/${NAME}`), { message: "Invalid instance name" });

  const { client: buildbarn } = await playing(t, "buildbarn@2026-03-26", { instances: ["team"] });
  assert.equal(await find(buildbarn, "team"), "OK");
  assert.equal(await find(buildbarn, "team/one"), "OK");
  assert.match(String(await find(buildbarn, "teams")), /no instance called "teams"/);
  assert.match(String(await find(buildbarn, "team/blobs")), /the reserved word "blobs"/);
  assert.match(String(await find(buildbarn, "team//one")), /an empty segment/);

  const { client: google } = await playing(t, "google-rbe");
  assert.equal(await find(google, "projects/p/instances/i"), "OK");
  assert.match(String(await find(google, "")), /no instance/);

  const { client: bazelRemote } = await playing(t, "bazel-remote@2.6");
  assert.equal(await find(bazelRemote, "what/ever"), "OK");
});

test("Buildfarm 1.17 has one digest function, Buildbarn several; each by the length of the hash", async (t) => {
  const md5 = digestFunctionByNumber(3)!;
  const { hash, sizeBytes } = digestOf(BLOB, md5);
  const update = (client: ReapiClient) =>
    client.unary<V2Message<"BatchUpdateBlobsResponse">>(`${STORAGE}/BatchUpdateBlobs`, {
      requests: [{ digest: { hash, sizeBytes }, data: BLOB }],
    });
  const { client: buildfarm } = await playing(t, "buildfarm@1.17");
  assert.equal((await update(buildfarm)).responses[0]!.status!.code, Status.INVALID_ARGUMENT);
  const { client: buildbarn } = await playing(t, "buildbarn@2026-03-26");
  assert.equal((await update(buildbarn)).responses[0]!.status?.code ?? 0, Status.OK);
});

test("chunks of BuildBuddy, where they are configured: NOT_FOUND for a blob, INVALID_ARGUMENT for a chunk", async (t) => {
  const { client } = await playing(t, "buildbuddy@2025-11", { optional: true });
  const unknown = sha256("unknown");
  await assert.rejects(client.unary(`${STORAGE}/SplitBlob`, { blobDigest: unknown }), {
    code: Status.NOT_FOUND,
  });
  const splice = client.unary(`${STORAGE}/SpliceBlob`, { blobDigest: unknown, chunkDigests: [unknown] });
  await assert.rejects(splice, { code: Status.INVALID_ARGUMENT });
});

test("assets: what was pushed is found, what was not is NOT_FOUND in the response; qualifiers as the server has them", async (t) => {
  const asset = "/build.bazel.remote.asset.v1";
  const uris = ["https://example.org/a.tar"];
  const { client } = await playing(t, "nativelink@1.6");
  const [blobDigest] = await client.store("archive");
  const fetch = (each: ReapiClient, request: object) =>
    each.unary<{ status: { code: number } | null; blobDigest: { hash: string } | null }>(
      `${asset}.Fetch/FetchBlob`,
      { uris, ...request },
    );
  assert.equal((await fetch(client, {})).status?.code, Status.NOT_FOUND);
  await client.unary(`${asset}.Push/PushBlob`, { uris, blobDigest });
  assert.equal((await fetch(client, {})).blobDigest?.hash, blobDigest!.hash);
  await assert.rejects(client.unary(`${asset}.Fetch/FetchDirectory`, { uris }), {
    code: Status.UNIMPLEMENTED,
  });
  const qualifiers = [{ name: "vcs.branch", value: "main" }];
  const { client: assets } = await playing(t, "bb-remote-asset");
  await assert.rejects(fetch(assets, { qualifiers }), { code: Status.INVALID_ARGUMENT });
  await assert.rejects(assets.unary(`${asset}.Push/PushBlob`, { uris, blobDigest }), {
    code: Status.PERMISSION_DENIED,
  });
  const { client: buildfarm } = await playing(t, "buildfarm@1.17");
  assert.equal((await fetch(buildfarm, { qualifiers })).status?.code, Status.NOT_FOUND);
});
