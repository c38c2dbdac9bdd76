/** Edits the directories among the outputs of a result, as Trees, as Directories of their own, or as both (R3, D40). */
import { childrenOf } from "../tree/directory.ts";
import { editTree, type MadeTree, makeTree, TreeMessage } from "../tree/tree-message.ts";
import { inParallel } from "../upstream/in-parallel.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, encodeDigest, formatDigest, readDigest } from "../wire/digest.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Status } from "../wire/status.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import { Outputs } from "./output-links.ts";
import type { Derived, Edit, Originals } from "./translator.ts";

/** What is done to one output directory. */
export interface OutputDirectoryRule {
  /** Names the rule, all that its edits depend on included: what it makes of a Tree is remembered by it. */
  readonly key: string;
  /** An edit of each directory of the Tree. */
  readonly edit: (tree: TreeMessage) => (directory: Buffer) => Edit;
  /** An edit of the `OutputDirectory` itself where a digest in it changes. */
  readonly output?: (output: Buffer) => Edit;
}

/** Field numbers of OutputDirectory. */
const TREE = 3;
const ROOT = 5;

/** Outputs that are read at a time. */
const AT_ONCE = 8;

/** The most directories that are read for one output that has no Tree. */
const MOST_DIRECTORIES = 100_000;

/**
 * The result with what `ruleOf` makes of each output directory in it, and the new digests in place of the old ones; what they name is stored. The new Trees
 * are topologically sorted, so that a promise to be stays true (D41). An output that is not stored
 * stays as it is: the client finds out itself, as it would without the bridge. Null if nothing changes.
 * @throws what edits throw; UpstreamError where reading fails otherwise; WireError for broken bytes.
 */
export async function editOutputDirectories(
  result: Buffer,
  originals: Originals,
  ruleOf: (output: Buffer) => OutputDirectoryRule,
): Promise<Edit> {
  const edits = new Map<number, readonly Buffer[]>();
  const work = async ({ at, output }: Found) => ({
    at,
    edit: await editOne(output, originals, ruleOf(output)),
  });
  for await (const { at, edit } of inParallel(directoriesIn(result), AT_ONCE, work))
    if (edit !== null) edits.set(at, edit);
  if (edits.size === 0) return null;
  return rewriteMessage(new Walker(result), ({ fieldStart, number }, out) => {
    const edit = edits.get(fieldStart);
    if (edit === undefined) return "keep";
    out.message(number, edit);
    return "drop";
  });
}

/** An `OutputDirectory`, and where its field begins in the result. */
interface Found {
  readonly at: number;
  readonly output: Buffer;
}

function directoriesIn(result: Buffer): Found[] {
  const found: Found[] = [];
  const field = new Walker(result);
  while (field.next()) {
    if (field.number === Outputs.directories && field.wireType === WireType.LEN)
      found.push({ at: field.fieldStart, output: field.bytes() });
  }
  return found;
}

async function editOne(output: Buffer, originals: Originals, rule: OutputDirectoryRule): Promise<Edit> {
  const { tree, root } = digestsIn(output);
  const newTree = tree && (await ifStored(treeEdited(tree, originals, rule)));
  const newRoot = root && (await ifStored(rootEdited(root, originals, rule)));
  if (newTree === null && newRoot === null) return null;
  return rewriteMessage(
    new Walker(joined(rule.output?.(output) ?? null, output)),
    ({ number, wireType }) =>
      wireType === WireType.LEN && ((number === TREE && newTree) || (number === ROOT && newRoot))
        ? "drop"
        : "keep",
    (out) => {
      if (newTree) out.bytes(TREE, encodeDigest(newTree));
      if (newRoot) out.bytes(ROOT, encodeDigest(newRoot));
    },
  );
}

async function ifStored(edited: Promise<Digest | null>): Promise<Digest | null> {
  try {
    return await edited;
  } catch (error) {
    if (error instanceof UpstreamError && error.code === Status.NOT_FOUND) return null;
    throw error;
  }
}

function digestsIn(output: Buffer): { tree: Digest | null; root: Digest | null } {
  let tree: Digest | null = null;
  let root: Digest | null = null;
  const field = new Walker(output);
  while (field.next()) {
    if (field.wireType !== WireType.LEN) continue;
    if (field.number === TREE) tree = readDigest(field.enter());
    else if (field.number === ROOT) root = readDigest(field.enter());
  }
  return { tree, root };
}

/** The digest of the Tree as the rule has it; null if that is the same. */
function treeEdited(tree: Digest, originals: Originals, rule: OutputDirectoryRule): Promise<Digest | null> {
  return originals.derive(`${rule.key} tree ${formatDigest(tree)}`, async () => {
    const bytes = await originals.read(tree);
    const made = edited(bytes, originals, rule);
    return made === null ? NOTHING : stored(made.bytes, [], originals);
  });
}

/** The digest of the root of Directories as the rule has it; null if that is the same. */
function rootEdited(root: Digest, originals: Originals, rule: OutputDirectoryRule): Promise<Digest | null> {
  return originals.derive(`${rule.key} root ${formatDigest(root)}`, async () => {
    const directories = await readAll(root, originals);
    const load = (digest: Digest): Buffer => directories.get(formatDigest(digest))!;
    const made = edited(makeTree(load(root), load).bytes, originals, rule);
    return made === null ? NOTHING : stored(made.root, made.children, originals);
  });
}

const NOTHING: Derived<null> = { value: null, blobs: [] };

function edited(tree: Buffer, { digestOf }: Originals, rule: OutputDirectoryRule): MadeTree | null {
  const read = TreeMessage.read(tree, digestOf);
  return editTree(read, rule.edit(read), digestOf);
}

/** The digest of the first, with all of them to be stored. */
function stored(first: Buffer, others: readonly Buffer[], { digestOf }: Originals): Derived<Digest> {
  const blobs = [first, ...others].map((bytes) => ({ digest: digestOf(bytes), bytes }));
  return { value: blobs[0]!.digest, blobs };
}

/** The directory and all that are below it, by digest. */
async function readAll(root: Digest, { read }: Originals): Promise<Map<string, Buffer>> {
  const directories = new Map<string, Buffer>();
  const left = [root];
  for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
    const key = formatDigest(digest);
    if (directories.has(key)) continue;
    const bytes = digest.sizeBytes === 0 ? Buffer.alloc(0) : await read(digest);
    directories.set(key, bytes);
    if (directories.size > MOST_DIRECTORIES)
      throw new WireError("tree", `an output of more than ${MOST_DIRECTORIES} directories`);
    left.push(...childrenOf(bytes).map((child) => child.digest));
  }
  return directories;
}
