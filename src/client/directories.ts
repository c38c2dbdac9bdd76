/** Files by path, as build tools think of them, and trees of Directory messages, as the API does. */
import { type Codec, codec } from "../spec/codec.ts";
import type { DigestFunction } from "../wire/digest-function.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { type Attributes, attributesOf } from "./attributes.ts";
import { blobOf, type Digest, SHA256 } from "./blob.ts";

/** A path from some root, without `.` and `..`. */
export type Path = string;

/** A file whose content is on the server, or about to be. */
export interface RemoteFile {
  readonly digest: Digest;
  readonly executable: boolean;
}

/** Something in a directory. */
export type Entry = { readonly attributes?: Attributes } & (
  | ({ readonly kind: "file" } & RemoteFile)
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory" }
);

/** Directories may share what is below them, so that few bytes stand for a great many entries. */
const MOST_ENTRIES = 1_000_000;
const DIRECTORY = "build.bazel.remote.execution.v2.Directory";

/** In which level and with which digests directories are written. */
export interface TreeForm {
  readonly codec: Codec;
  readonly digestFunction: DigestFunction;
}

/**
 * All that is below a directory, by path from it; `load` gives the bytes of a Directory by its digest.
 * @throws MalformedMessageError for bytes that are no Directory, RangeError beyond a million entries.
 */
export async function listDirectory(
  root: Uint8Array,
  load: (digest: Digest) => Promise<Uint8Array> | Uint8Array,
  api: Codec = codec(),
): Promise<Map<Path, Entry>> {
  const entries = new Map<Path, Entry>();
  const visit = async (bytes: Uint8Array, base: Path): Promise<void> => {
    const message = api.decode(DIRECTORY, bytes);
    const { files, directories, symlinks } = message;
    if (base !== "") entries.set(base.slice(0, -1), { kind: "directory", ...attributesOf(message) });
    if (entries.size > MOST_ENTRIES)
      throw new RangeError(`a directory has more than ${MOST_ENTRIES} entries`);
    for (const file of files) {
      const { name, digest, isExecutable: executable } = file;
      if (digest === null) continue;
      entries.set(`${base}${name}`, { kind: "file", digest, executable, ...attributesOf(file) });
    }
    for (const link of symlinks) {
      entries.set(`${base}${link.name}`, { kind: "symlink", target: link.target, ...attributesOf(link) });
    }
    for (const { name, digest } of directories) {
      entries.set(`${base}${name}`, { kind: "directory" });
      if (digest !== null) await visit(await load(digest), `${base}${name}/`);
    }
  };
  await visit(root, "");
  return entries;
}

/**
 * All that is in a Tree, by path from its root. A Directory that it names and does not hold counts as empty.
 * @throws MalformedMessageError or WireError for bytes that are no Tree, RangeError beyond a million entries.
 */
export async function listTree(
  tree: Buffer,
  { codec: api, digestFunction }: TreeForm = { codec: codec(), digestFunction: SHA256 },
): Promise<Map<Path, Entry>> {
  let root: Buffer = Buffer.alloc(0);
  const children = new Map<string, Buffer>();
  const field = new Walker(tree);
  while (field.next()) {
    if (field.wireType !== WireType.LEN) continue;
    // The bytes as they came: encoded again they might have another digest.
    if (field.number === 1) root = field.bytes();
    else if (field.number === 2) {
      const { digest, bytes } = blobOf(field.bytes(), digestFunction);
      children.set(digest.hash, bytes);
    }
  }
  return listDirectory(root, ({ hash }) => children.get(hash) ?? Buffer.alloc(0), api);
}
