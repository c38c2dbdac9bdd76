import assert from "node:assert/strict";
import { test } from "node:test";
import { digestFunctionBySegment } from "../../../src/wire/digest-function.ts";
import { formatResourceName, parseResourceName, type ResourceName } from "../../../src/wire/resource-name.ts";

const H = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

type Expected = Partial<Omit<ResourceName, "digestFunction" | "digest">> & {
  digestFunction?: string;
  hash?: string;
  size?: number;
};

/** The parts of a name; what is not given is absent from it, the digest is `H/5`. */
function parts(expected: Expected): ResourceName {
  const { digestFunction, hash = H, size = 5, ...rest } = expected;
  return {
    instance: "",
    upload: null,
    compressor: null,
    metadata: null,
    ...rest,
    digestFunction: digestFunction === undefined ? null : digestFunctionBySegment(digestFunction)!,
    digest: { hash, sizeBytes: size },
  };
}

const NAMES: readonly (readonly [why: string, name: string, expected: Expected])[] = [
  ["2018: a read", `main/blobs/${H}/5`, { instance: "main" }],
  ["2018: a read without an instance", `blobs/${H}/5`, {}],
  ["2018: a write", `main/uploads/u-1/blobs/${H}/5`, { instance: "main", upload: "u-1" }],
  ["2018: a write without an instance", `uploads/u-1/blobs/${H}/5`, { upload: "u-1" }],
  [
    "2018: a write with something behind it",
    `m/uploads/u/blobs/${H}/5/a/b`,
    { instance: "m", upload: "u", metadata: "a/b" },
  ],
  ["2018: an instance named like a keyword", `blobs/blobs/${H}/5`, { instance: "blobs" }],
  ["2018: an instance named uploads", `uploads/uploads/u/blobs/${H}/5`, { instance: "uploads", upload: "u" }],
  ["2018: an instance with a word reserved later", `a/operations/blobs/${H}/5`, { instance: "a/operations" }],
  [
    "2.2: an instance segment compressed-blobs",
    `a/compressed-blobs/blobs/${H}/5`,
    { instance: "a/compressed-blobs" },
  ],
  ["an instance of several segments", `a/b/c/blobs/${H}/5`, { instance: "a/b/c" }],
  ["2.3: a compressed read", `main/compressed-blobs/zstd/${H}/5`, { instance: "main", compressor: "zstd" }],
  [
    "2.3: a compressed write",
    `uploads/u/compressed-blobs/deflate/${H}/5`,
    { upload: "u", compressor: "deflate" },
  ],
  ["a compressor of a later revision", `compressed-blobs/zstd-dict/${H}/5`, { compressor: "zstd-dict" }],
  ["2.5: a function", `i/blobs/blake3/${H}/5`, { instance: "i", digestFunction: "blake3" }],
  [
    "2.5: a function in a compressed write",
    `uploads/u/compressed-blobs/zstd/sha256tree/${H}/5/x`,
    { upload: "u", compressor: "zstd", digestFunction: "sha256tree", metadata: "x" },
  ],
  ["a function that need not be said", `blobs/sha256/${H}/5`, { digestFunction: "sha256" }],
  [
    "metadata that look like a name",
    `i/uploads/u/blobs/${H}/5/blobs/aa/7`,
    { instance: "i", upload: "u", metadata: "blobs/aa/7" },
  ],
  ["empty metadata", `blobs/${H}/5/`, { metadata: "" }],
  ["metadata with line breaks", `blobs/${H}/5/a\nb`, { metadata: "a\nb" }],
  ["upper case, for others to refuse", `blobs/${H.toUpperCase()}/5`, { hash: H.toUpperCase() }],
  [
    "a hash of no function's length, for others to refuse",
    `blobs/${"a".repeat(42)}/5`,
    { hash: "a".repeat(42) },
  ],
  ["an empty upload id", `uploads//blobs/${H}/5`, { upload: "" }],
  ["an upload id that is a keyword", `uploads/blobs/blobs/${H}/5`, { upload: "blobs" }],
  ["a doubled slash in front", `//blobs/${H}/5`, { instance: "/" }],
  ["the largest size", `blobs/${H}/9007199254740991`, { size: Number.MAX_SAFE_INTEGER }],
  ["the subject of a missing blob", `blobs/blake3/${H}/0`, { digestFunction: "blake3", size: 0 }],
  ["a hash after text that is no function", `blobs/abc/12/5`, { hash: "abc", size: 12, metadata: "5" }],
];

for (const [why, name, expected] of NAMES) {
  test(`${why}: ${name.replaceAll(H, "H").slice(0, 60)}`, () => {
    assert.deepEqual(parseResourceName(name), parts(expected));
    assert.equal(formatResourceName(parts(expected)), name);
  });
}

for (const name of [
  "",
  "blobs",
  "blobs/",
  `blobs/${H}`,
  `blobs/${H}/`,
  `blobs/${H}/x`,
  `blobs/${H}/-1`,
  `blobs/${H}/05`,
  `blobs/${H}/9007199254740992`,
  `blobs/${H}/5x`,
  `blobs//${H}/5`,
  `blobs/xyz/5`,
  `blobs/BLAKE3/${H}/5`,
  `blobs/blake4/${H}/5`,
  `myblobs/${H}/5`,
  `compressed-blobs/${H}/5`,
  `compressed-blobs//${H}/5`,
  `xcompressed-blobs/zstd/${H}/5`,
  "streams/stdout-1234",
  "projects/p/logstreams/l/streams/s",
  `uploads/u/${H}/5`,
]) {
  test(`is no blob name, and passes untouched: ${JSON.stringify(name.replaceAll(H, "H"))}`, () => {
    assert.equal(parseResourceName(name), null);
  });
}

test("a single slash in front is the one thing that formatting loses", () => {
  const parsed = parseResourceName(`/blobs/${H}/5`);
  assert.deepEqual(parsed, parts({}));
  assert.equal(formatResourceName(parsed!), `blobs/${H}/5`);
});

for (const [why, name] of [
  ["keywords", "blobs/".repeat(200_000)],
  ["digests", `operations/${"blobs/a/".repeat(200_000)}`],
  ["whole names", "blobs/a/1/".repeat(100_000)],
  ["hexadecimal digits", `blobs/${"a".repeat(1_000_000)}`],
  ["digits", `blobs/a/${"1".repeat(1_000_000)}`],
  ["uploads", "uploads/".repeat(200_000)],
  ["slashes", "/".repeat(1_000_000)],
] as const) {
  test(`a name of a million ${why} takes linear time`, () => {
    const start = performance.now();
    parseResourceName(name);
    assert.ok(performance.now() - start < 1000);
  });
}
