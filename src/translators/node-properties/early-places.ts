/**
 * Attributes of directories where they stood from 2019-10-08 to 2019-11-03: in the node that leads to a directory, and in the OutputDirectory (D32). The
 * same numbers mean nothing, or a flag, elsewhere, so their wire type tells.
 */
import { DirectoryField } from "../../tree/directory.ts";
import type { DigestBytes, TreeMessage } from "../../tree/tree-message.ts";
import { type Digest, formatDigest, readDigest } from "../../wire/digest.ts";
import { type FieldVisitor, rewriteField, rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import type { Edit } from "../translator.ts";
import { PLACES } from "./nodes.ts";
import type { Fail } from "./values.ts";

/** DirectoryNode.digest, DirectoryNode.node_properties and OutputDirectory.node_properties of that month. */
const DIGEST = 2;
const OF_CHILD = 3;
const OF_OUTPUT = 4;

/** The attributes in an `OutputDirectory`, each an encoded `NodeProperty`. */
export function propertiesOfOutput(output: Buffer): Buffer[] {
  return listIn(new Walker(output), OF_OUTPUT);
}

/** Takes them out of an `OutputDirectory`: for a visitor at its fields. */
export const dropFromOutput: FieldVisitor = ({ number, wireType }) =>
  number === OF_OUTPUT && wireType === WireType.LEN ? "drop" : "keep";

/** Whether a directory has attributes of those in it. */
export function namesOfChildren(directory: Buffer): boolean {
  const field = new Walker(directory);
  while (field.next()) if (isChild(field) && listIn(field.enter(), OF_CHILD).length > 0) return true;
  return false;
}

/**
 * An edit of the directories of a Tree that moves all such attributes into the directories they are of, as a list there; those of the root are given. Null if
 * there are none. `fail` is told of a directory that is given several sets of them: as one message, it can only have one.
 */
export function moveToDirectories(
  tree: TreeMessage,
  ofRoot: readonly Buffer[],
  digestOf: DigestBytes,
  fail: Fail,
): ((directory: Buffer) => Edit) | null {
  const lists = listsByDigest(tree, fail);
  if (ofRoot.length === 0 && [...lists.values()].every((list) => list.length === 0)) return null;
  return (directory) => {
    const list = directory === tree.root ? ofRoot : (lists.get(formatDigest(digestOf(directory))) ?? []);
    return rewriteMessage(
      new Walker(directory),
      (field, out) =>
        isChild(field)
          ? rewriteField(field, out, ({ number, wireType }) =>
              number === OF_CHILD && wireType === WireType.LEN ? "drop" : "keep",
            )
          : "keep",
      (out) => {
        for (const pair of list) out.bytes(PLACES.directory.list, pair);
      },
    );
  };
}

/** The attributes of each directory that the nodes of the others give it, by its digest. */
function listsByDigest(tree: TreeMessage, fail: Fail): Map<string, readonly Buffer[]> {
  const lists = new Map<string, readonly Buffer[]>();
  const left: Buffer[] = [tree.root];
  for (let directory = left.pop(); directory !== undefined; directory = left.pop()) {
    for (const { digest, list } of givenBy(directory)) {
      const key = formatDigest(digest);
      const before = lists.get(key);
      if (before === undefined) {
        lists.set(key, list);
        left.push(tree.directory(digest));
      } else if (!Buffer.concat(before).equals(Buffer.concat(list))) {
        fail("node_properties of a directory", "it stands in two places with different ones");
      }
    }
  }
  return lists;
}

function givenBy(directory: Buffer): { digest: Digest; list: Buffer[] }[] {
  const given: { digest: Digest; list: Buffer[] }[] = [];
  const field = new Walker(directory);
  while (field.next())
    if (isChild(field))
      given.push({ digest: digestIn(field.enter()), list: listIn(field.enter(), OF_CHILD) });
  return given;
}

function isChild({ number, wireType }: Walker): boolean {
  return number === DirectoryField.directories && wireType === WireType.LEN;
}

function listIn(message: Walker, number: number): Buffer[] {
  const list: Buffer[] = [];
  while (message.next())
    if (message.number === number && message.wireType === WireType.LEN) list.push(message.bytes());
  return list;
}

function digestIn(node: Walker): Digest {
  let digest: Digest = { hash: "", sizeBytes: 0 };
  while (node.next())
    if (node.number === DIGEST && node.wireType === WireType.LEN) digest = readDigest(node.enter());
  return digest;
}
