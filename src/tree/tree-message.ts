/**
 * A `Tree` of the store: a root and every directory below it, as the bytes they have (R1). The bridge writes Trees in the form that
 * `is_topologically_sorted` promises (D41): each directory once, those that lead to it first, and nothing else.
 */
import { type Digest, formatDigest } from "../wire/digest.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { joined } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import { childrenOf, withChildren } from "./directory.ts";

/** The longest Tree that is read to be looked into, or changed. */
export const MOST_TREE_BYTES = 64 << 20;

/** Field numbers of Tree. */
const TreeField = { root: 1, children: 2 } as const;

/** The digest of bytes, with the digest function at hand. */
export type DigestBytes = (bytes: Buffer) => Digest;

/** Edits one directory, of which nothing outside matters; null leaves it. */
export type EditDirectory = (directory: Buffer) => readonly Buffer[] | null;

/** The directories of a Tree by digest. */
export class TreeMessage {
  readonly root: Buffer;
  private readonly byDigest: ReadonlyMap<string, Buffer>;

  private constructor(root: Buffer, byDigest: ReadonlyMap<string, Buffer>) {
    this.root = root;
    this.byDigest = byDigest;
  }

  /**
   * Reads a Tree; directories are views of it. A Tree without a root is that of an empty directory.
   * @throws WireError for broken bytes.
   */
  static read(tree: Buffer, digestOf: DigestBytes): TreeMessage {
    let root: Buffer = Buffer.alloc(0);
    const byDigest = new Map<string, Buffer>();
    const field = new Walker(tree);
    while (field.next()) {
      if (field.wireType !== WireType.LEN) continue;
      if (field.number === TreeField.root) root = field.bytes();
      else if (field.number === TreeField.children)
        byDigest.set(formatDigest(digestOf(field.bytes())), field.bytes());
    }
    return new TreeMessage(root, byDigest);
  }

  /** The directory with a digest; the empty one needs not be in the Tree. @throws WireError `tree` where the Tree lacks it. */
  directory(digest: Digest): Buffer {
    const found = this.byDigest.get(formatDigest(digest));
    if (found !== undefined) return found;
    if (digest.sizeBytes === 0) return Buffer.alloc(0);
    throw new WireError("tree", `the Tree lacks its directory ${formatDigest(digest)}`);
  }
}

/** A Tree made here. */
export interface MadeTree {
  readonly bytes: Buffer;
  readonly root: Buffer;
  /** Every directory below the root, in the order of the Tree. */
  readonly children: readonly Buffer[];
}

/**
 * The Tree of `root`, topologically sorted; directories below it come from `load`.
 * @throws what `load` throws, and WireError for broken directories.
 */
export function makeTree(root: Buffer, load: (digest: Digest) => Buffer): MadeTree {
  const children = sortedBelow(root, load);
  const out = new FieldWriter();
  out.bytes(TreeField.root, root);
  for (const child of children) out.bytes(TreeField.children, child);
  return { bytes: out.toBuffer(), root, children };
}

/**
 * The Tree of a directory whose directories were all edited, bottom-up, so that digests fit. Null if nothing changed.
 * @throws WireError for broken directories and `tree` for missing ones; what `edit` throws.
 */
export function editTree(tree: TreeMessage, edit: EditDirectory, digestOf: DigestBytes): MadeTree | null {
  const made = new Map<string, Buffer>();
  const digests = new Map<string, Digest>();
  const rewrite = (directory: Buffer): Buffer => {
    const own = joined(edit(directory), directory);
    const children = withChildren(own, ({ digest }) => digests.get(formatDigest(digest)) ?? null);
    return joined(children, own);
  };
  const load = (digest: Digest): Buffer => tree.directory(digest);
  // From the leaves up: what a directory holds is rewritten before it.
  for (const { bytes, digest } of sortedWithDigests(tree.root, load).reverse()) {
    const after = rewrite(bytes);
    if (after === bytes) continue;
    const madeDigest = digestOf(after);
    digests.set(formatDigest(digest), madeDigest);
    made.set(formatDigest(madeDigest), after);
  }
  const root = rewrite(tree.root);
  if (root === tree.root) return null;
  return makeTree(root, (digest) => made.get(formatDigest(digest)) ?? load(digest));
}

function sortedBelow(root: Buffer, load: (digest: Digest) => Buffer): Buffer[] {
  return sortedWithDigests(root, load).map(({ bytes }) => bytes);
}

interface Below {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** Every distinct directory below the root, each before those in it: depth first, turned around. Not recursive, as trees may be deep. */
function sortedWithDigests(root: Buffer, load: (digest: Digest) => Buffer): Below[] {
  const seen = new Set<string>();
  const finished: Below[] = [];
  const open: { readonly self: Below | null; readonly left: Digest[] }[] = [
    { self: null, left: digestsIn(root) },
  ];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const digest = top.left.pop();
    if (digest === undefined) {
      if (top.self !== null) finished.push(top.self);
      open.pop();
      continue;
    }
    const key = formatDigest(digest);
    if (seen.has(key)) continue;
    seen.add(key);
    const bytes = load(digest);
    open.push({ self: { digest, bytes }, left: digestsIn(bytes) });
  }
  return finished.reverse();
}

function digestsIn(directory: Buffer): Digest[] {
  return childrenOf(directory).map(({ digest }) => digest);
}
