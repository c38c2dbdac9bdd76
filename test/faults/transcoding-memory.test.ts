import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compressorNamed } from "../../src/compression/compressors.ts";
import { decode } from "../../src/compression/decode.ts";
import { encode } from "../../src/compression/encode.ts";
import { READ } from "../../src/translators/methods.ts";
import { type BridgeProcess, startBridgeProcess } from "../support/bridge-process.ts";
import { startEmbeddedProcess } from "../support/embedded-process.ts";
import { ReapiClient } from "../support/reapi-client.ts";

// What a blob that the bridge compresses and decompresses takes of its memory, in a process of its own, above what it needs when it is warm and idle. With
// `STREAM_MIB=1024` the blob has a GiB.

const MIB = 1024 * 1024;
const { STREAM_MIB = "256" } = process.env;
const BLOB_MIB = Number(STREAM_MIB);
const ZSTD = compressorNamed("ZSTD");

/** More than the compressor looks back, so that hardly anything of it gets smaller. */
const PIECE = randomBytes(4 * MIB);

function* content(mib: number): Generator<Buffer> {
  for (let done = 0; done < mib; done += 4) yield PIECE.subarray(0, Math.min(4, mib - done) * MIB);
}

/** Sends a blob compressed and reads it so; both streamed. */
async function thereAndBack(client: ReapiClient, mib: number): Promise<void> {
  const hash = createHash("sha256");
  for (const part of content(mib)) hash.update(part);
  const name = `compressed-blobs/zstd/${hash.digest("hex")}/${mib * MIB}`;
  const write = client.openWrite();
  let writeOffset = 0;
  let resourceName = `uploads/${randomUUID()}/${name}`;
  for await (const data of encode(ZSTD, content(mib))) {
    await write.send({ resourceName, writeOffset: BigInt(writeOffset), data });
    writeOffset += data.length;
    resourceName = "";
  }
  await write.send({ resourceName, writeOffset: BigInt(writeOffset), finishWrite: true });
  write.end();
  assert.equal(await write.response, writeOffset);
  const back = createHash("sha256");
  const packed = async function* (): AsyncGenerator<Buffer> {
    for await (const { data } of client.stream<{ data: Uint8Array }>(READ, { resourceName: name }))
      yield Buffer.from(data);
  };
  for await (const part of decode(ZSTD, packed(), mib * MIB)) back.update(part);
  assert.ok(name.includes(back.digest("hex")));
}

/** The most memory that a bridge has while something goes on. */
async function peakDuring(bridge: BridgeProcess, work: Promise<void>): Promise<number> {
  let peak = 0;
  let over = false;
  const watched = (async () => {
    while (!over) {
      peak = Math.max(peak, await bridge.memory());
      await new Promise((done) => setTimeout(done, 50));
    }
  })();
  try {
    await work;
  } finally {
    over = true;
    await watched;
  }
  return peak;
}

test(`a blob of ${BLOB_MIB} MiB is decompressed and compressed as a stream`, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "streams-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const server = await startEmbeddedProcess(t, "--level", "2.2", "--dir", dir);
  const bridge = await startBridgeProcess(server.address);
  t.after(() => bridge.stop());
  const client = new ReapiClient(t, bridge.address);
  await thereAndBack(client, 16);
  const idle = await bridge.memory();
  const started = performance.now();
  const peak = await peakDuring(bridge, thereAndBack(client, BLOB_MIB));
  const growth = (peak - idle) / MIB;
  const seconds = (performance.now() - started) / 1000;
  t.diagnostic(`${growth.toFixed(1)} MiB above ${(idle / MIB).toFixed(0)} MiB, in ${seconds.toFixed(1)} s`);
  assert.ok(growth < 64, `${growth} MiB`);
});
