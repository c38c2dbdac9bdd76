/** Gives output directories that are a Tree the digest of their root Directory as well (D40). */
import { BridgeError } from "../../spec/bridge-error.ts";
import { makeTree, TreeMessage } from "../../tree/tree-message.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Edit, Originals, Pair } from "../translator.ts";
import {
  type Addition,
  type OutputDirectory,
  outputDirectoriesIn,
  withAdditions,
} from "./output-directory.ts";

/** Command.output_directory_format; 0 is TREE_ONLY. */
const FORMAT = 9;

/**
 * The result with root digests next to its Trees, whose directories are stored one by one; Trees and their order stay. Only for a client that cannot do
 * without them or asked for them in its Command; where the Command is not known, for one that always asks. A client that reads Trees gets nothing but
 * those where their directories cannot be had.
 * @throws what reading, hashing and storing throw, for a client that reads no Trees.
 */
export async function withRoots(result: Buffer, originals: Originals, { client }: Pair): Promise<Edit> {
  const trees = outputDirectoriesIn(result).filter(({ tree, root }) => tree !== null && root === null);
  if (trees.length === 0) return null;
  const { reads = [], writes = [] } = client.features["output-directory-format"] ?? {};
  const needed = reads.length > 0 && !reads.includes("tree");
  if (!needed) {
    const command = await originals.command();
    const wanted = command === null ? writes.length > 0 && !writes.includes("tree") : asksForRoots(command);
    if (!wanted) return null;
  }
  const additions = new Map<number, Addition>();
  for (const directory of trees) {
    const root = await rootOf(directory, originals, needed);
    if (root !== null) additions.set(directory.at, { root });
  }
  return withAdditions(result, additions);
}

function asksForRoots(command: Buffer): boolean {
  let format = 0;
  const field = new Walker(command);
  while (field.next())
    if (field.number === FORMAT && field.wireType === WireType.VARINT) format = field.int32();
  return format !== 0;
}

async function rootOf(
  { tree }: OutputDirectory,
  originals: Originals,
  needed: boolean,
): Promise<Digest | null> {
  try {
    return await originals.derive(`output-directory-format: directories of ${formatDigest(tree!)}`, () =>
      directoriesOf(tree!, originals),
    );
  } catch (error) {
    const expected =
      error instanceof UpstreamError || error instanceof BridgeError || error instanceof WireError;
    if (needed || !expected) throw error;
    return null;
  }
}

/** The digest of the root of a stored Tree, and every directory of it as a blob, byte for byte. */
async function directoriesOf(tree: Digest, originals: Originals) {
  const digestOf = (bytes: Buffer): Digest => originals.digestOf(bytes);
  const stored = TreeMessage.read(await originals.read(tree), digestOf);
  const { root, children } = makeTree(stored.root, (digest) => stored.directory(digest));
  const blobs = [root, ...children].map((bytes) => ({ digest: digestOf(bytes), bytes }));
  return { value: blobs[0]!.digest, blobs };
}
