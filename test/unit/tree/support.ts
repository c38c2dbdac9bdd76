/** Directory trees, as messages. */
import fc from "fast-check";
import { codec } from "../../../src/spec/codec.ts";
import { type Digest, formatDigest } from "../../../src/wire/digest.ts";
import { DIGEST_FUNCTIONS } from "../../../src/wire/digest-function.ts";
import { digestOf as hash } from "../../../src/wire/hasher.ts";

export const V2 = "build.bazel.remote.execution.v2";

/** A directory in memory: what it holds by name. */
export interface Folder {
  readonly files: readonly string[];
  readonly folders: Readonly<Record<string, Folder>>;
}

export function digestOf(bytes: Buffer): Digest {
  const { hash: digits, sizeBytes } = hash(bytes, DIGEST_FUNCTIONS[0]!);
  return { hash: digits, sizeBytes };
}

/** The Directory of a folder; all below it goes into `stored`, by `hash/size`. */
export function encode({ files, folders }: Folder, stored: Map<string, Buffer>): Buffer {
  const directories = Object.keys(folders)
    .sort()
    .map((name) => {
      const { hash: digits, sizeBytes } = store(encode(folders[name]!, stored), stored);
      return { name, digest: { hash: digits, sizeBytes: BigInt(sizeBytes) } };
    });
  const names = [...new Set(files)].filter((name) => !(name in folders)).sort();
  return codec().encode(`${V2}.Directory`, {
    files: names.map((name) => ({ name, digest: { hash: "ab".repeat(32), sizeBytes: 3n } })),
    directories,
  });
}

export function store(bytes: Buffer, stored: Map<string, Buffer>): Digest {
  const digest = digestOf(bytes);
  stored.set(formatDigest(digest), bytes);
  return digest;
}

/** Paths of all directories and files below a Directory. */
export function paths(directory: Buffer, load: (digest: Digest) => Buffer, under = ""): string[] {
  const { files, directories } = codec().decode(`${V2}.Directory`, directory);
  return [
    ...files.map(({ name }) => `${under}${name}`),
    ...directories.flatMap(({ name, digest }) => [
      `${under}${name}/`,
      ...paths(load({ hash: digest!.hash, sizeBytes: Number(digest!.sizeBytes) }), load, `${under}${name}/`),
    ]),
  ].sort();
}

/** Folders of any shape, in which equal ones come up more than once. */
export const folders: fc.Arbitrary<Folder> = fc.letrec<{ folder: Folder }>((tie) => ({
  folder: fc.record({
    files: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
    folders: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant({}),
      fc.dictionary(fc.constantFrom("d", "e", "f"), tie("folder"), { maxKeys: 3 }),
    ),
  }),
})).folder;
