import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { QUERY_WRITE_STATUS, READ, WRITE } from "../../../src/translators/methods.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import {
  readCommittedSize,
  readReadResponse,
  writeReadRequest,
  writeWriteRequest,
} from "../../../src/wire/byte-stream.ts";
import { Status } from "../../../src/wire/status.ts";
import { exchanged, PlainStore } from "../plain-store.ts";
import { NAMES, StreamedBlob, unpacked } from "../streams.ts";
import { client, plan, server } from "../support.ts";

// Given a server without compression, whatever the client sends and however it is cut.

const pair = plan(client(), server({ level: "2.2" }));

const names = fc.constantFrom(...NAMES);
const blobs = fc
  .tuple(fc.nat(300_000), fc.constantFrom(2, 16, 256))
  .map(([size, letters]) => new StreamedBlob(Buffer.from(randomBytes(size).map((byte) => byte % letters))));
const lengths = fc.array(fc.integer({ min: 300, max: 90_000 }), { minLength: 1, maxLength: 4 });

/** The requests of an upload; without `finish` the client has not said that this is all. */
function upload(
  name: string,
  offset: number,
  packed: Buffer,
  cuts: readonly number[],
  finish = true,
): Buffer[] {
  const requests: Buffer[] = [];
  for (let at = 0, turn = 0; at < packed.length || turn === 0; turn++) {
    const data = packed.subarray(at, at + cuts[turn % cuts.length]!);
    const writeOffset = offset + at;
    at += data.length;
    const finishWrite = finish && at === packed.length;
    const resourceName = turn === 0 ? name : "";
    requests.push(Buffer.concat(writeWriteRequest({ resourceName, writeOffset, finishWrite, data })));
  }
  return requests;
}

async function committed(store: PlainStore, path: string, requests: readonly Buffer[]): Promise<number> {
  const [answer] = await exchanged(pair, path, requests, store.forward(path));
  return readCommittedSize(answer!);
}

test("a blob is the same, and nothing is left open", async () => {
  await fc.assert(
    fc.asyncProperty(names, blobs, lengths, async (name, blob, cuts) => {
      const store = new PlainStore();
      const packed = await blob.packed(name);
      assert.equal(await committed(store, WRITE, upload(blob.write(name), 0, packed, cuts)), packed.length);
      assert.ok(store.blobs.get(blob.digest.hash)!.equals(blob.bytes));
      const request = writeReadRequest({ resourceName: blob.read(name), readOffset: 0, readLimit: 0 });
      const answers = await exchanged(pair, READ, [Buffer.concat(request)], store.forward(READ));
      const read = Buffer.concat(answers.map(readReadResponse));
      assert.ok((await unpacked(name, read, blob.bytes.length)).equals(blob.bytes));
      assert.equal(store.open, 0);
    }),
    { numRuns: 40 },
  );
});

test("several frames of ZSTD are one blob, wherever they and the messages are cut", async () => {
  await fc.assert(
    fc.asyncProperty(blobs, lengths, lengths, async (blob, frames, cuts) => {
      const store = new PlainStore();
      const packed: Buffer[] = [];
      for (let at = 0, turn = 0; at < blob.bytes.length || turn === 0; turn++) {
        const length = frames[turn % frames.length]!;
        packed.push(zstdCompressSync(blob.bytes.subarray(at, at + length)));
        at += length;
      }
      await committed(store, WRITE, upload(blob.write("ZSTD"), 0, Buffer.concat(packed), cuts));
      assert.ok(store.blobs.get(blob.digest.hash)!.equals(blob.bytes));
    }),
    { numRuns: 40 },
  );
});

test("an upload that is cut anywhere, any number of times, goes on where the upstream is", async () => {
  await fc.assert(
    fc.asyncProperty(
      names,
      blobs,
      lengths,
      fc.array(fc.nat(99), { maxLength: 4 }),
      async (name, blob, cuts, stops) => {
        const store = new PlainStore();
        const query = Buffer.concat(
          writeWriteRequest({
            resourceName: blob.write(name),
            writeOffset: 0,
            finishWrite: false,
            data: Buffer.alloc(0),
          }),
        );
        let offset = 0;
        for (const percent of stops) {
          const packed = await blob.packed(name, offset);
          const sent = packed.subarray(0, Math.floor((packed.length * percent) / 100));
          await committed(store, WRITE, upload(blob.write(name), offset, sent, cuts, false));
          const reached = await committed(store, QUERY_WRITE_STATUS, [query]);
          assert.ok(reached >= offset && reached <= blob.bytes.length);
          offset = reached;
        }
        const rest = await blob.packed(name, offset);
        const end = await committed(store, WRITE, upload(blob.write(name), offset, rest, cuts));
        assert.equal(end, offset + rest.length);
        assert.ok(store.blobs.get(blob.digest.hash)!.equals(blob.bytes));
        assert.equal(store.open, 0);
      },
    ),
    { numRuns: 40 },
  );
});

test("what was changed on the way is refused by name, or is the blob after all", async () => {
  const damage = fc.oneof(
    fc.record({ at: fc.nat(), to: fc.nat(255) }),
    fc.record({ at: fc.nat(), cut: fc.constant(true) }),
    fc.record({ more: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
  );
  await fc.assert(
    fc.asyncProperty(names, blobs, lengths, damage, async (name, blob, cuts, how) => {
      const store = new PlainStore();
      const packed = Buffer.from(await blob.packed(name));
      const at = "at" in how ? how.at % packed.length : 0;
      let sent = packed;
      if ("to" in how) sent[at] = how.to;
      else if ("cut" in how) sent = packed.subarray(0, at);
      else sent = Buffer.concat([packed, how.more]);
      try {
        await committed(store, WRITE, upload(blob.write(name), 0, sent, cuts));
        assert.ok(store.blobs.get(blob.digest.hash)!.equals(blob.bytes));
      } catch (error) {
        assert.ok(error instanceof BridgeError, String(error));
        assert.equal(error.facts.code, "upload-broken");
        assert.equal(store.blobs.size, 0);
      }
      assert.equal(store.open, 0);
    }),
    { numRuns: 100 },
  );
});

test("a server that sends more or fewer bytes than there are is found out", async () => {
  for (const size of [9, 11]) {
    const store = new PlainStore();
    const blob = new StreamedBlob(randomBytes(10));
    store.blobs.set(blob.digest.hash, blob.bytes);
    store.onRead = () => [randomBytes(size)];
    const request = writeReadRequest({ resourceName: blob.read("ZSTD"), readOffset: 0, readLimit: 0 });
    await assert.rejects(
      exchanged(pair, READ, [Buffer.concat(request)], store.forward(READ)),
      (error) => error instanceof UpstreamError && error.code === Status.DATA_LOSS,
    );
    assert.equal(store.open, 0);
  }
});
