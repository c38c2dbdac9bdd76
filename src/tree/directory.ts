/** A `Directory` of the store, where it lies. */
import { type Digest, encodeDigest, readDigest } from "../wire/digest.ts";
import type { FieldWriter } from "../wire/field-writer.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker as Fields, type Walker, WireType } from "../wire/walker.ts";

/** Field numbers of Directory, and of the nodes in it; those of `name` are the same in all three. */
export const DirectoryField = { files: 1, directories: 2, symlinks: 3 } as const;
const NodeField = { name: 1, digest: 2, target: 2 } as const;

/** A `DirectoryNode`. */
export interface Child {
  readonly name: string;
  readonly digest: Digest;
}

/** What a directory has under one name, and the message that says so: a `FileNode`, `DirectoryNode` or `SymlinkNode`. */
export interface Entry {
  readonly kind: "file" | "directory" | "symlink";
  readonly name: string;
  readonly node: Buffer;
}

const KINDS: Readonly<Record<number, Entry["kind"]>> = {
  [DirectoryField.files]: "file",
  [DirectoryField.directories]: "directory",
  [DirectoryField.symlinks]: "symlink",
};

/** All that is in a directory. @throws WireError for broken bytes. */
export function entriesOf(directory: Buffer): Entry[] {
  const entries: Entry[] = [];
  const field = new Fields(directory);
  while (field.next()) {
    const kind = KINDS[field.number];
    if (kind === undefined || field.wireType !== WireType.LEN) continue;
    const node = field.bytes();
    entries.push({ kind, name: textIn(node, NodeField.name), node });
  }
  return entries;
}

/** The digest in the node of a file or a directory. @throws WireError for broken bytes. */
export function digestIn(node: Buffer): Digest {
  return readChild(new Fields(node)).digest;
}

/** What the node of a symlink says that it leads to. @throws WireError for broken bytes. */
export function targetIn(node: Buffer): string {
  return textIn(node, NodeField.target);
}

/** The directories in a directory, in its order. @throws WireError for broken bytes. */
export function childrenOf(directory: Buffer): Child[] {
  const children: Child[] = [];
  const field = new Fields(directory);
  while (field.next()) {
    if (field.number === DirectoryField.directories && field.wireType === WireType.LEN)
      children.push(readChild(field.enter()));
  }
  return children;
}

/** The digests of the files in a directory, in its order. @throws WireError for broken bytes. */
export function filesOf(directory: Buffer): Digest[] {
  const files: Digest[] = [];
  const field = new Fields(directory);
  while (field.next()) {
    if (field.number === DirectoryField.files && field.wireType === WireType.LEN)
      files.push(readChild(field.enter()).digest);
  }
  return files;
}

/**
 * A directory with other digests for the directories in it: null leaves one as it is. Null if all stay.
 * @throws WireError for broken bytes.
 */
export function withChildren(
  directory: Buffer,
  digestOf: (child: Child) => Digest | null,
): readonly Buffer[] | null {
  return rewriteMessage(new Fields(directory), (field, out) => {
    if (field.number !== DirectoryField.directories || field.wireType !== WireType.LEN) return "keep";
    const digest = digestOf(readChild(field.enter()));
    return digest === null ? "keep" : rewriteField(field, out, dropDigest, addDigest(digest));
  });
}

function dropDigest({ number, wireType }: Walker): "keep" | "drop" {
  return number === NodeField.digest && wireType === WireType.LEN ? "drop" : "keep";
}

function addDigest(digest: Digest): (out: FieldWriter) => void {
  return (out) => out.bytes(NodeField.digest, encodeDigest(digest));
}

function readChild(node: Walker): Child {
  let name = "";
  let digest: Digest = { hash: "", sizeBytes: 0 };
  while (node.next()) {
    if (node.wireType !== WireType.LEN) continue;
    if (node.number === NodeField.name) name = node.text();
    else if (node.number === NodeField.digest) digest = readDigest(node.enter());
  }
  return { name, digest };
}

function textIn(node: Buffer, number: number): string {
  let text = "";
  const field = new Fields(node);
  while (field.next()) if (field.number === number && field.wireType === WireType.LEN) text = field.text();
  return text;
}
