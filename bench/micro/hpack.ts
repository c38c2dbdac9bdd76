/**
 * Nanoseconds of CPU per header block, decoded and encoded again as the relay lane does it, with the blocks of a small gRPC call.
 * Usage: node bench/micro/hpack.ts
 */
import { HpackDecoder } from "../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../src/http2/hpack/encoder.ts";
import { Field, makeField, WITHOUT_INDEXING } from "../../src/http2/hpack/field.ts";
import { internName } from "../../src/http2/hpack/name.ts";

const ROUNDS = 9;
const LAPS = 100;
const BLOCKS = 2000;
const METADATA = "build.bazel.remote.execution.v2.requestmetadata-bin";

const request: Field[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs"],
  [":authority", "cache.example.com:8980"],
  ["te", "trailers"],
  ["content-type", "application/grpc"],
  ["user-agent", "grpc-java-netty/1.50.0"],
  ["grpc-timeout", "60S"],
  ["authorization", "Bearer 3f1e9c5b7d2a4860"],
].map(([name, value]) => makeField(internName(name!), value!, { index: true }));

/** A value as base64 of an encoded RequestMetadata: 240 characters, a fresh one for each `seed`. */
function metadata(seed: number): string {
  const bytes = Buffer.alloc(180);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 37 + Math.imul(seed, i + 7)) & 0xff;
  return bytes.toString("base64");
}

/** A literal as clients send it that do not compress values. */
function plainField(value: string): Field {
  const bytes = Buffer.from(value, "latin1");
  const length = bytes.length;
  return new Field(internName(METADATA), WITHOUT_INDEXING, bytes, 0, length, false, length, true, false, 0);
}

const shapes: Record<string, (seed: number) => Field> = {
  "all fields indexed": () => makeField(internName(METADATA), metadata(0), { index: true }),
  "new value, put into the table": (seed) => makeField(internName(METADATA), metadata(seed), { index: true }),
  "new value, not indexed": (seed) => makeField(internName(METADATA), metadata(seed)),
  "new value, not indexed, plain": (seed) => plainField(metadata(seed)),
};

/** The blocks a client would send, one after another, written by an encoder of its own. */
function blocksOf(last: (seed: number) => Field): Buffer[] {
  const client = new HpackEncoder();
  return Array.from({ length: BLOCKS }, (_, seed) => {
    const fields = [...request, last(seed)];
    const out = Buffer.alloc(client.sizeBound(fields));
    return out.subarray(0, client.encode(fields, out, 0));
  });
}

/** Relays all blocks over a fresh pair of connections, as often as a lap says; returns the CPU time of one block. */
function round(blocks: readonly Buffer[], out: Buffer): number {
  const fields: Field[] = [];
  const start = process.cpuUsage();
  for (let lap = 0; lap < LAPS; lap++) {
    const decoder = new HpackDecoder();
    const encoder = new HpackEncoder();
    for (const block of blocks) {
      fields.length = 0;
      decoder.decode(block, 0, block.length, fields);
      if (encoder.sizeBound(fields) > out.length) throw new Error("block too large");
      encoder.encode(fields, out, 0);
    }
  }
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1000) / (LAPS * blocks.length);
}

for (const [title, last] of Object.entries(shapes)) {
  const blocks = blocksOf(last);
  const out = Buffer.alloc(16384);
  const times = Array.from({ length: ROUNDS }, () => round(blocks, out)).sort((a, b) => a - b);
  const [best, median] = [times[0]!, times[ROUNDS >> 1]!];
  console.log(`${title.padEnd(30)} median ${median.toFixed(0)} ns, best ${best.toFixed(0)} ns per block`);
}
