/** Adding directories to a Directory, which stays sorted. */
import { encodeDigest } from "../wire/digest.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { type Child, childrenOf, DirectoryField, withChildren } from "./directory.ts";

/** The names of all that is in a directory. @throws WireError for broken bytes. */
export function entryNames(directory: Buffer): Set<string> {
  const names = new Set<string>();
  const field = new Walker(directory);
  while (field.next()) {
    if (field.wireType !== WireType.LEN || field.number > DirectoryField.symlinks) continue;
    const node = field.enter();
    while (node.next()) if (node.number === 1 && node.wireType === WireType.LEN) names.add(node.text());
  }
  return names;
}

/**
 * A directory in which `given` are: those whose names it has get the new digest, the others are added where they belong by name.
 * @throws WireError for broken bytes.
 */
export function withDirectories(directory: Buffer, given: readonly Child[]): Buffer {
  const digests = new Map(given.map(({ name, digest }) => [name, digest]));
  const slices = withChildren(directory, ({ name }) => digests.get(name) ?? null);
  const updated = slices === null ? directory : Buffer.concat(slices);
  const present = new Set(childrenOf(updated).map(({ name }) => name));
  const added = given.filter(({ name }) => !present.has(name));
  if (added.length === 0) return updated;
  const nodes = added.map(({ name, digest }) => {
    const node = new FieldWriter();
    node.text(1, name);
    node.bytes(2, encodeDigest(digest));
    return { name, bytes: node.toBuffer() };
  });
  const all = [...nodesIn(updated), ...nodes].sort((a, b) =>
    Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  const made = rewriteMessage(
    new Walker(updated),
    ({ number }) => (number === DirectoryField.directories ? "drop" : "keep"),
    (out) => {
      for (const { bytes } of all) out.bytes(DirectoryField.directories, bytes);
    },
  );
  return Buffer.concat(made ?? []);
}

function nodesIn(directory: Buffer): { readonly name: string; readonly bytes: Buffer }[] {
  const names = childrenOf(directory).map(({ name }) => name);
  const nodes: { name: string; bytes: Buffer }[] = [];
  const field = new Walker(directory);
  while (field.next()) {
    if (field.number === DirectoryField.directories && field.wireType === WireType.LEN)
      nodes.push({ name: names[nodes.length]!, bytes: field.bytes() });
  }
  return nodes;
}
