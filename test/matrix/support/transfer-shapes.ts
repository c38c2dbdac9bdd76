/** What clients ask of a store, in the shape in which they ask it: each made new, checked to the byte, and failing as the user of the client would see it. */
import { randomBytes, randomUUID } from "node:crypto";
import { type Api, methodPath } from "../../../src/client/api.ts";
import { type Blob, blobOf } from "../../../src/client/blob.ts";
import { CallFailed } from "../../../src/client/call-failed.ts";
import type { Connection } from "../../../src/client/connection.ts";
import type { Manner } from "../../../src/client/manner.ts";
import { RemoteStore } from "../../../src/client/remote-store.ts";
import { compressorNamed } from "../../../src/compression/compressors.ts";
import { decodeBytes } from "../../../src/compression/decode.ts";
import { encodeBytes } from "../../../src/compression/encode.ts";
import type { ResolvedClient, ResolvedServer } from "../../../src/peers/profile.ts";
import { codec } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";

/** A client at work on a store. */
export interface Work {
  readonly connection: Connection;
  readonly manner: Manner;
  readonly instance: string;
}

/** One shape of requests. */
export interface TransferShape {
  readonly name: string;
  /** The feature that is about it. */
  readonly feature: string;
  /** Whether the client sends such requests. */
  of(client: ResolvedClient): boolean;
  /** Before which servers it is tried; all where this is absent. */
  at?(server: ResolvedServer): boolean;
  /** Why it fails at a server that is not up to it; what else goes wrong is a mistake. */
  readonly fails: RegExp;
  /** Whether it has to fail at this server, where the facts of both tell; null where they do not. */
  mustFail(client: ResolvedClient, server: ResolvedServer): boolean | null;
  /** @throws CallFailed, or another error that says what is wrong. */
  run(work: Work): Promise<void>;
  /** What the operator has to want for it to work. */
  readonly policy?: Readonly<Record<string, string>>;
}

const ZSTD = compressorNamed("ZSTD");

/** All of them. */
export const TRANSFER_SHAPES: readonly TransferShape[] = [
  ...(["ZSTD", "DEFLATE", "BROTLI"] as const).map(
    (compressor): TransferShape => ({
      name: `blobs compressed by ${compressor}`,
      feature: "compressed-blobs",
      of: ({ facts }) => facts.compressors?.are.includes(compressor) === true,
      fails: /INVALID_ARGUMENT|NOT_FOUND|UNIMPLEMENTED|ended at -?\d+ bytes, not at/,
      mustFail: ({ facts: { committedSize: taken } }, { facts: { compressors, committedSize } }) => {
        if (compressors === undefined) return null;
        if (!compressors.are.includes(compressor)) return true;
        if (taken === undefined || committedSize === undefined) return null;
        if (!taken.takes.includes(committedSize.counts)) return true;
        // Where nobody knows what is said of a blob that was there before, it may be -1.
        const { early = "minus-one" } = committedSize;
        return early === "same" || taken.takes.includes(early) ? false : null;
      },
      async run(work) {
        const store = streams(work, { compressor });
        // Some of it can be made smaller, some cannot.
        const blobs = [fresh(Buffer.concat([randomBytes(70_000), Buffer.alloc(300_000, "of one kind ")]))];
        await store.put(blobs);
        // What is there already ends sooner at some servers.
        await store.put(blobs);
        await same(store, blobs);
      },
    }),
  ),
  {
    name: "a compressed blob from an offset on",
    feature: "read-range",
    of: ({ facts }) => facts.compressors?.are.includes("ZSTD") === true,
    fails: /INVALID_ARGUMENT|NOT_FOUND|UNIMPLEMENTED|not the rest of the blob/,
    mustFail: (_, { facts: { compressors, readRange } }) =>
      compressors === undefined
        ? null
        : !compressors.are.includes("ZSTD") || readRange?.offset === "ignored-compressed",
    async run(work) {
      const blob = fresh(randomBytes(200_000));
      await streams(work).put([blob]);
      const name = nameOf(work, blob, "compressed-blobs/zstd");
      const rest = await read(work, name, 150_000);
      const bytes = await decodeBytes(ZSTD, rest, blob.bytes.length);
      if (!bytes.equals(blob.bytes.subarray(150_000)))
        throw new Error("what came is not the rest of the blob");
    },
  },
  {
    name: "a part of a blob",
    feature: "read-range",
    of: ({ peer }) => peer === "bazel",
    fails: /UNIMPLEMENTED|OUT_OF_RANGE/,
    mustFail: (_, { facts: { readRange } }) =>
      readRange === undefined ? null : ["unimplemented", "out-of-range"].includes(readRange.limit),
    async run(work) {
      const blob = fresh(randomBytes(200_000));
      await streams(work).put([blob]);
      const part = await read(work, nameOf(work, blob, "blobs"), 1_000, 100_000);
      if (!part.equals(blob.bytes.subarray(1_000, 101_000))) throw new Error("what came is not the part");
    },
  },
  {
    name: "how far an upload has come",
    feature: "committed-size",
    of: ({ facts: { calls } }) =>
      [...(calls?.required ?? []), ...(calls?.optional ?? [])].includes("ByteStream/QueryWriteStatus"),
    fails: /UNIMPLEMENTED/,
    mustFail: (_, server) => lacks(server, "ByteStream/QueryWriteStatus"),
    async run(work) {
      const blob = fresh(randomBytes(50_000));
      const status = async () =>
        work.connection.unary<Messages["google.bytestream.QueryWriteStatusResponse"]>(
          "/google.bytestream.ByteStream/QueryWriteStatus",
          { resourceName: nameOf(work, blob, `uploads/${randomUUID()}/blobs`) },
        );
      const before = await status();
      if (before.complete || before.committedSize !== 0n) throw new Error("nothing has come yet");
      await streams(work).put([blob]);
      const after = await status();
      if (!after.complete || after.committedSize !== 50_000n) throw new Error("it is all there");
    },
  },
  {
    name: "batches as large as the client makes them",
    feature: "batch-limits",
    of: ({ facts, features }) =>
      facts.batchLimit !== undefined || features["batch-methods"]?.writes?.includes("updates") === true,
    fails: /RESOURCE_EXHAUSTED|INVALID_ARGUMENT|UNIMPLEMENTED/,
    mustFail: () => null,
    async run(work) {
      const store = new RemoteStore(work.connection, work.manner, work.instance);
      const blobs = Array.from({ length: 150 }, () => fresh(randomBytes(30_000)));
      await store.put(blobs);
      await same(store, blobs);
    },
  },
  {
    name: "a batch of compressed blobs",
    feature: "batch-compression",
    of: ({ facts, name }) => facts.compressors?.are.includes("ZSTD") === true && name.startsWith("moon"),
    fails: /INVALID_ARGUMENT|UNIMPLEMENTED|stored as it came/,
    mustFail: (_, { facts: { batchCompressors } }) =>
      batchCompressors === undefined ? null : !batchCompressors.are.includes("ZSTD"),
    async run(work) {
      const blobs = Array.from({ length: 5 }, (_, at) => fresh(Buffer.alloc(2_000 * (at + 1), randomUUID())));
      const requests = await Promise.all(
        blobs.map(async ({ digest, bytes }) => ({
          digest,
          data: await encodeBytes(ZSTD, bytes),
          compressor: ZSTD.number,
        })),
      );
      const { responses } = await work.connection.unary<Api<"BatchUpdateBlobsResponse">>(
        methodPath("ContentAddressableStorage/BatchUpdateBlobs"),
        { instanceName: work.instance, requests },
      );
      for (const { status } of responses) {
        if ((status?.code ?? 0) !== 0)
          throw new CallFailed("BatchUpdateBlobs", status!.code, status!.message, null);
      }
      await same(streams(work), blobs);
    },
  },
  {
    name: "90,000 digests in one FindMissingBlobs",
    feature: "batch-limits",
    of: ({ facts }) => facts.findMissing?.divided === false,
    at: (server) => !lacks(server, "ContentAddressableStorage/FindMissingBlobs"),
    fails: /RESOURCE_EXHAUSTED/,
    mustFail: (_, { facts: { messageLimit } }) => (messageLimit?.is ?? 4 << 20) < 6 << 20,
    async run(work) {
      const blob = fresh(randomBytes(100));
      await streams(work).put([blob]);
      const strange = Array.from({ length: 90_000 }, (_, at) => ({
        hash: `f${at.toString(16).padStart(63, "0")}`,
        sizeBytes: 10n,
      }));
      const blobDigests = [...strange.slice(0, 45_000), blob.digest, ...strange.slice(45_000)];
      const { missingBlobDigests } = await work.connection.unary<Api<"FindMissingBlobsResponse">>(
        methodPath("ContentAddressableStorage/FindMissingBlobs"),
        { instanceName: work.instance, blobDigests },
      );
      const found = new Set(missingBlobDigests.map(({ hash }) => hash));
      if (found.size !== 90_000 || found.has(blob.digest.hash)) throw new Error(`${found.size} are missing`);
    },
  },
  {
    name: "a whole tree",
    feature: "get-tree",
    of: ({ peer }) => peer === "recc",
    fails: /UNIMPLEMENTED/,
    mustFail: (_, server) => lacks(server, "ContentAddressableStorage/GetTree"),
    async run(work) {
      const { connection, instance } = work;
      const leaves = Array.from({ length: 30 }, () => directory([], [randomUUID()]));
      const root = directory(leaves, [randomUUID()]);
      await streams(work).put([...leaves, root]);
      const path = methodPath("ContentAddressableStorage/GetTree");
      const found = new Set<string>();
      for await (const { directories } of connection.stream<Api<"GetTreeResponse">>(path, {
        instanceName: instance,
        rootDigest: root.digest,
      })) {
        for (const each of directories)
          found.add(blobOf(codec().encode("build.bazel.remote.execution.v2.Directory", each)).digest.hash);
      }
      for (const { digest } of [...leaves, root]) {
        if (!found.has(digest.hash)) throw new Error(`${found.size} directories came, and not all of them`);
      }
    },
  },
  {
    name: "a blob in chunks, and back",
    feature: "chunking",
    policy: { chunking: "require" },
    of: ({ facts }) => facts.chunking?.rules.includes("fast-cdc-2020") === true,
    // Of others the bridge cannot say what they have, and clients that ask for that first stop.
    at: ({ facts }) => facts.digestFunctions !== undefined,
    fails: /UNIMPLEMENTED|are not announced/,
    mustFail: (_, server) =>
      lacks(server, "ContentAddressableStorage/SplitBlob") ||
      lacks(server, "ContentAddressableStorage/SpliceBlob")
        ? true
        : null,
    async run(work) {
      const { connection, instance } = work;
      const { cacheCapabilities: cache } = await connection.unary<Api<"ServerCapabilities">>(
        methodPath("Capabilities/GetCapabilities"),
        { instanceName: instance },
      );
      if (!(cache?.splitBlobSupport && cache.spliceBlobSupport && cache.fastCdc2020Params))
        throw new Error("the methods and their parameters are not announced");
      const blob = fresh(randomBytes(5 << 20));
      await streams(work).put([blob]);
      const { chunkDigests } = await connection.unary<Api<"SplitBlobResponse">>(
        methodPath("ContentAddressableStorage/SplitBlob"),
        { instanceName: instance, blobDigest: blob.digest },
      );
      const parts = await streams(work).read(chunkDigests);
      if (!Buffer.concat(parts).equals(blob.bytes)) throw new Error("the chunks are not the blob");
      // Another order of the chunks is another blob.
      const turned = blobOf(Buffer.concat(parts.toReversed()));
      await connection.unary(methodPath("ContentAddressableStorage/SpliceBlob"), {
        instanceName: instance,
        blobDigest: turned.digest,
        chunkDigests: chunkDigests.toReversed(),
      });
      await same(streams(work), [turned]);
    },
  },
];

/** Whether the server is known to lack a method. */
export function lacks({ facts }: ResolvedServer, method: string): boolean {
  const service = `${method.slice(0, method.indexOf("/"))}/*`;
  return facts.missingMethods?.are.some((one) => one === method || one === service) === true;
}

function fresh(bytes: Buffer): Blob {
  return blobOf(Buffer.concat([Buffer.from(randomUUID()), bytes]).subarray(0, Math.max(36, bytes.length)));
}

function directory(children: readonly Blob[], files: readonly string[]): Blob {
  const empty = blobOf("").digest;
  return blobOf(
    codec().encode("build.bazel.remote.execution.v2.Directory", {
      files: files.map((name) => ({ name, digest: empty })),
      directories: children.map(({ digest }, at) => ({ name: `d${String(at).padStart(3, "0")}`, digest })),
    }),
  );
}

/** A store that is used by ByteStream alone. */
function streams({ connection, manner, instance }: Work, other: Partial<Manner> = {}): RemoteStore {
  const batches = { ...manner.batches, update: false, read: false };
  return new RemoteStore(connection, { ...manner, compressor: null, batches, ...other }, instance);
}

async function same(store: RemoteStore, blobs: readonly Blob[]): Promise<void> {
  const read = await store.read(blobs.map(({ digest }) => digest));
  read.forEach((bytes, at) => {
    if (!bytes.equals(blobs[at]!.bytes))
      throw new Error("a blob came back as another one: stored as it came");
  });
}

function nameOf({ manner, instance }: Work, { digest }: Blob, kind: string): string {
  const prefix = instance === "" ? "" : `${instance}/`;
  const segment = manner.functionSegment ? `${manner.digestFunction.segment}/` : "";
  return `${prefix}${kind}/${segment}${digest.hash}/${digest.sizeBytes}`;
}

async function read(
  { connection }: Work,
  resourceName: string,
  readOffset = 0,
  readLimit = 0,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const request = { resourceName, readOffset, readLimit };
  type Answer = Messages["google.bytestream.ReadResponse"];
  for await (const { data } of connection.stream<Answer>("/google.bytestream.ByteStream/Read", request))
    parts.push(data);
  return Buffer.concat(parts);
}
