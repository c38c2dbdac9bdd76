/** The codec against bytes written by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codec, type Draft, MalformedMessageError, type MessageName } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { bytes, field, fixed32, fixed64, varintField } from "./wire-bytes.ts";

const V2 = "build.bazel.remote.execution.v2";
const DIGEST = `${V2}.Digest` as const;
const newest = codec();

/** Encodes without the checks of the type system: what a caller from JavaScript, or one with a wrong cast, would do. */
function encodeAnything(name: MessageName, message: unknown): Buffer {
  return newest.encode(name, message as Draft<Messages[typeof name]>);
}

describe("64-bit fields", () => {
  const edges: [bigint, string][] = [
    [1n, "01"],
    [127n, "7f"],
    [128n, "8001"],
    [2n ** 31n, "8080808008"],
    [2n ** 32n - 1n, "ffffffff0f"],
    [2n ** 49n - 1n, "ffffffffffff7f"],
    [2n ** 49n, "8080808080808001"],
    [2n ** 53n + 1n, "8180808080808010"],
    [2n ** 63n - 1n, "ffffffffffffffff7f"],
    [-1n, "ffffffffffffffffff01"],
    [-(2n ** 63n), "80808080808080808001"],
  ];
  for (const [value, hex] of edges) {
    it(`writes and reads int64 ${value}`, () => {
      const wire = Buffer.from(`10${hex}`, "hex");
      assert.deepEqual(newest.encode(DIGEST, { sizeBytes: value }), wire);
      assert.equal(newest.decode(DIGEST, wire).sizeBytes, value);
    });
  }

  it("reads and writes the whole range of uint64", () => {
    const name = `${V2}.FastCdc2020Params` as const;
    const wire = Buffer.from("08ffffffffffffffffff01", "hex");
    assert.equal(newest.decode(name, wire).avgChunkSizeBytes, 2n ** 64n - 1n);
    assert.deepEqual(newest.encode(name, { avgChunkSizeBytes: 2n ** 64n - 1n }), wire);
    assert.throws(() => newest.encode(name, { avgChunkSizeBytes: -1n }), /-1 is outside the range/);
    assert.throws(() => newest.encode(name, { avgChunkSizeBytes: 2n ** 64n }), /is outside the range/);
  });

  it("leaves 0n out, given or read, so that digests stay canonical", () => {
    const hash = field(1, "ab");
    assert.deepEqual(newest.encode(DIGEST, { hash: "ab", sizeBytes: 0n }), hash);
    assert.deepEqual(newest.encode(DIGEST, { hash: "ab", sizeBytes: 0 }), hash);
    const decoded = newest.decode(DIGEST, bytes(hash, varintField(2, 0n), varintField(9, 1n)));
    assert.equal(decoded.sizeBytes, 0n);
    assert.deepEqual(newest.encode(DIGEST, decoded), bytes(hash, varintField(9, 1n)));
    assert.equal(decoded.sizeBytes, 0n, "encoding leaves the message as it was");
  });

  it("reads an absent field as 0n", () => {
    assert.equal(newest.decode(DIGEST, Buffer.alloc(0)).sizeBytes, 0n);
    assert.equal(newest.create(DIGEST).sizeBytes, 0n);
  });

  it("takes safe integers as numbers", () => {
    assert.deepEqual(newest.encode(DIGEST, { sizeBytes: 300 }), varintField(2, 300n));
    assert.deepEqual(newest.encode(DIGEST, { sizeBytes: -1 }), varintField(2, -1n));
  });

  it("takes no value that it would have to change", () => {
    for (const value of [
      1.5,
      2 ** 53,
      Number.NaN,
      "12",
      true,
      {},
      { low: 1, high: 0 },
      2n ** 63n,
      -(2n ** 63n) - 1n,
    ]) {
      assert.throws(
        () => encodeAnything(DIGEST, { sizeBytes: value }),
        (error) => error instanceof TypeError || error instanceof RangeError,
        `sizeBytes: ${String(value)}`,
      );
    }
    const nested = { commandDigest: { hash: "a", sizeBytes: "12" } };
    assert.throws(() => encodeAnything(`${V2}.Action`, nested), TypeError, "nested as well");
  });

  it("refuses a bigint in a 32-bit field", () => {
    assert.throws(() => encodeAnything(`${V2}.ActionResult`, { exitCode: 1n }), TypeError);
  });
});

describe("unknown fields", () => {
  it("survive at every depth, of every wire type, after the known fields", () => {
    const unknown = (seed: number): Buffer =>
      bytes(
        varintField(3000 + seed, 7n),
        field(4000 + seed, `text ${seed}`),
        fixed32(5000 + seed, 9),
        fixed64(6000 + seed, 2n ** 60n),
      );
    const digest = bytes(field(1, "aa"), varintField(2, 1n), unknown(1));
    const property = bytes(field(1, "n"), field(2, "v"), unknown(2));
    const properties = bytes(field(1, property), field(2, varintField(1, 5n)), unknown(3));
    const file = bytes(field(1, "f"), field(2, digest), field(6, properties), unknown(4));
    const directory = bytes(field(1, file), field(1, file), unknown(5));
    const tree = bytes(field(1, directory), field(2, directory), unknown(6));
    const decoded = newest.decode(`${V2}.Tree`, tree);
    assert.equal(decoded.children[0]?.files[1]?.nodeProperties?.mtime?.seconds, 5n);
    assert.deepEqual(newest.encode(`${V2}.Tree`, decoded), tree);
  });

  it("survive a change of the known ones, also inside maps and oneofs", () => {
    const extra = field(77, "kept");
    const log = bytes(field(1, bytes(field(1, "aa"), varintField(2, 3n), extra)), extra);
    const response = field(4, bytes(field(1, "log"), field(2, log)));
    const decoded = newest.decode(`${V2}.ExecuteResponse`, response);
    decoded.cachedResult = true;
    assert.deepEqual(newest.encode(`${V2}.ExecuteResponse`, decoded), bytes(varintField(2, 1n), response));

    const any = bytes(field(1, "t"), field(2, "v"), extra);
    const operation = bytes(varintField(3, 1n), field(5, any), extra);
    const changed = newest.decode("google.longrunning.Operation", operation);
    changed.name = "n";
    assert.deepEqual(newest.encode("google.longrunning.Operation", changed), bytes(field(1, "n"), operation));
  });

  it("keep a known number with another wire type as unknown", () => {
    const wrong = bytes(varintField(1, 5n), field(2, "a length"));
    const decoded = newest.decode(DIGEST, wrong);
    assert.equal(decoded.hash, "");
    assert.equal(decoded.sizeBytes, 0n);
    assert.deepEqual(newest.encode(DIGEST, decoded), wrong);
  });

  it("keep groups", () => {
    const group = Buffer.from([0x7b, 0x08, 0x01, 0x7c]);
    const decoded = newest.decode(DIGEST, bytes(field(1, "a"), group));
    assert.deepEqual(newest.encode(DIGEST, decoded), bytes(field(1, "a"), group));
  });
});

describe("presence and defaults", () => {
  it("keeps an empty message apart from an absent one (D36)", () => {
    const present = newest.decode(`${V2}.Action`, field(10, ""));
    assert.ok(Object.hasOwn(present, "platform"));
    assert.deepEqual(present.platform?.properties, []);
    assert.deepEqual(newest.encode(`${V2}.Action`, present), field(10, ""));
    assert.equal(newest.decode(`${V2}.Action`, Buffer.alloc(0)).platform, null);
  });

  it("reads absent fields as the defaults of their types", () => {
    const result = newest.decode(`${V2}.ActionResult`, Buffer.alloc(0));
    assert.equal(result.exitCode, 0);
    assert.ok(result.stdoutRaw instanceof Uint8Array);
    assert.equal(result.stdoutRaw.length, 0);
    assert.equal(result.stdoutDigest, null);
    assert.deepEqual(result.outputFiles, []);
    assert.deepEqual(newest.decode(`${V2}.ExecuteResponse`, Buffer.alloc(0)).serverLogs, {});
    assert.equal(newest.decode(`${V2}.ExecuteRequest`, Buffer.alloc(0)).skipCacheLookup, false);
  });

  it("creates messages that are whole at every depth", () => {
    const action = newest.create(`${V2}.Action`, { commandDigest: { hash: "aa" }, platform: {} });
    assert.equal(action.commandDigest?.sizeBytes, 0n);
    assert.deepEqual(action.platform?.properties, []);
    assert.equal(action.doNotCache, false);
    assert.deepEqual(codec("2.0").create(`${V2}.Command`, { outputPaths: ["later"] }).outputPaths, []);
  });

  it("omits scalars that hold their default", () => {
    const result = { exitCode: 0, stdoutRaw: Buffer.alloc(0), outputFiles: [], stdoutDigest: undefined };
    assert.equal(newest.encode(`${V2}.ActionResult`, result).length, 0);
  });

  it("tells which member of a oneof is there, and the last one wins", () => {
    const error = field(4, varintField(1, 5n));
    const onlyError = newest.decode("google.longrunning.Operation", error);
    assert.equal(onlyError.error?.code, 5);
    assert.equal(Object.hasOwn(onlyError, "response"), false);
    const both = newest.decode("google.longrunning.Operation", bytes(error, field(5, field(1, "t"))));
    assert.equal(both.response?.typeUrl, "t");
    assert.equal(both.error, null);
    assert.deepEqual(newest.encode("google.longrunning.Operation", both), field(5, field(1, "t")));
  });

  it("keeps enum values that the schema lacks, alone and in lists", () => {
    const wire = bytes(field(1, Buffer.from([1, 99])), varintField(5, 42n));
    const decoded = newest.decode(`${V2}.CacheCapabilities`, wire);
    assert.deepEqual(decoded.digestFunctions, [1, 99]);
    assert.equal(decoded.symlinkAbsolutePathStrategy, 42);
    assert.deepEqual(newest.encode(`${V2}.CacheCapabilities`, decoded), wire);
  });

  it("reads a packable list in either form and writes it packed", () => {
    const packed = field(1, Buffer.from([1, 9]));
    const unpacked = bytes(varintField(1, 1n), varintField(1, 9n));
    for (const wire of [packed, unpacked]) {
      const decoded = newest.decode(`${V2}.CacheCapabilities`, wire);
      assert.deepEqual(decoded.digestFunctions, [1, 9]);
      assert.deepEqual(newest.encode(`${V2}.CacheCapabilities`, decoded), packed);
    }
  });

  it("writes fields in the order of their numbers, whatever order they were given in", () => {
    const command = { outputDirectoryFormat: 1, outputPaths: ["o"], workingDirectory: "w", arguments: ["a"] };
    const wire = bytes(field(1, "a"), field(6, "w"), field(7, "o"), varintField(9, 1n));
    assert.deepEqual(newest.encode(`${V2}.Command`, command), wire);
  });
});

describe("maps", () => {
  it("keep every key, whatever it is called", () => {
    const names = ["b", "a", "__proto__", "constructor", ""];
    const entry = (name: string): Buffer => field(4, bytes(field(1, name), field(2, varintField(2, 1n))));
    const wire = bytes(...names.map(entry));
    const decoded = newest.decode(`${V2}.ExecuteResponse`, wire);
    assert.deepEqual(Object.keys(decoded.serverLogs), names);
    assert.ok(Object.values(decoded.serverLogs).every((log) => log.humanReadable));
    assert.deepEqual(newest.encode(`${V2}.ExecuteResponse`, decoded), wire);
  });

  it("read an entry without value as the empty message", () => {
    const decoded = newest.decode(`${V2}.ExecuteResponse`, field(4, field(1, "k")));
    const { k: log } = decoded.serverLogs;
    assert.equal(log?.humanReadable, false);
    assert.equal(log?.digest, null);
  });
});

describe("JSON.stringify", () => {
  it("shows a decoded message as the JSON form of protobuf does", () => {
    const contents = field(5, Buffer.from([1, 2, 3]));
    const digest = field(2, bytes(field(1, "aa"), varintField(2, 2n ** 60n)));
    const result = newest.decode(`${V2}.ActionResult`, field(2, bytes(field(1, "f"), digest, contents)));
    assert.deepEqual(JSON.parse(JSON.stringify(result.outputFiles)), [
      { path: "f", digest: { hash: "aa", sizeBytes: "1152921504606846976" }, contents: "AQID" },
    ]);
  });
});

describe("malformed input", () => {
  const digestWithin = (inner: Buffer): Buffer => field(1, inner);
  const cases: [string, MessageName, Buffer][] = [
    ["a length beyond the end", `${V2}.Action`, Buffer.from([0x0a, 0x05, 0x01])],
    ["a nested length beyond its message", `${V2}.Action`, digestWithin(Buffer.from([0x0a, 0x09, 0x61]))],
    ["an integer that ends early", DIGEST, Buffer.from([0x10, 0x80])],
    [
      "an integer that crosses the end of its message",
      `${V2}.Action`,
      bytes(digestWithin(Buffer.from([0x10, 0x80])), Buffer.from([0x01])),
    ],
    ["an integer of eleven bytes", DIGEST, Buffer.from([0x10, ...Array(10).fill(0x80), 0x01])],
    ["field number 0", DIGEST, Buffer.from([0x02, 0x00])],
    ["wire type 7", DIGEST, Buffer.from([0x0f, 0x00])],
    ["an end of a group without its start", DIGEST, Buffer.from([0x7c])],
    ["text that is not UTF-8", DIGEST, Buffer.from([0x0a, 0x01, 0xff])],
    [
      "groups nested a thousand deep",
      DIGEST,
      Buffer.concat([Buffer.alloc(1000, 0x7b), Buffer.alloc(1000, 0x7c)]),
    ],
  ];
  for (const [what, name, wire] of cases) {
    it(`${what} is a MalformedMessageError that names the type`, () => {
      assert.throws(
        () => newest.decode(name, wire),
        (error) =>
          error instanceof MalformedMessageError && error.message.startsWith(`not a valid ${name}: `),
      );
    });
  }

  it("a name the codec lacks is a TypeError", () => {
    assert.throws(
      () => newest.decode("no.Such" as MessageName, Buffer.alloc(0)),
      /no message called no\.Such/,
    );
    assert.throws(() => newest.decode("toString" as MessageName, Buffer.alloc(0)), TypeError);
  });
});
