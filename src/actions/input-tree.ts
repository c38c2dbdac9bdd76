/** Rewrites the Directories of an input tree, from the leaves up, and remembers what came of each (R8). */
import { BridgeError } from "../spec/bridge-error.ts";
import type { Edit } from "../translators/translator.ts";
import { childrenOf, withChildren } from "../tree/directory.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import { joined } from "../wire/rewrite.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Memory } from "./memory.ts";
import type { Scope } from "./scope.ts";
import { SharedWork } from "./shared-work.ts";
import { readMessages } from "./store-reader.ts";

/** The most directories that are read for one action, how deep they may lie in one another, and their bytes together. */
const MOST_DIRECTORIES = 100_000;
const MOST_LEVELS = 2_048;
const MOST_TREE_BYTES = 128 << 20;
/** What a directory waiting to be rewritten takes besides its bytes. */
const BYTES_PER_DIRECTORY = 400;

/** A blob that the bridge made, and the client's that it stands in place of; null for what the client has no like of. */
export interface MadeBlob {
  readonly digest: Digest;
  readonly standsFor: Digest | null;
  /** Null where it is known without its bytes: it was stored before. */
  readonly bytes: Buffer | null;
}

/** A tree as the upstream gets it. */
export interface RewrittenTree {
  readonly root: Digest;
  /** Every Directory that differs from the client's, each once. */
  readonly made: readonly MadeBlob[];
}

/** What came of one directory: its new digest, null for none, and those directly in it that have a new one. */
interface Outcome {
  readonly digest: Digest;
  readonly mapped: Digest | null;
  readonly changed: readonly Digest[];
  readonly bytes: Buffer | null;
}

interface Node {
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly children: readonly Digest[];
}

/** The input trees of one plan. */
export class InputTrees {
  private readonly memory: Memory;
  private readonly id: string;
  private readonly edit: (directory: Buffer) => Edit;
  private readonly walks = new SharedWork<RewrittenTree>();

  /** `id` tells what this plan makes of a directory from what others do. `edit` may throw a BridgeError to refuse. */
  constructor(memory: Memory, id: string, edit: (directory: Buffer) => Edit) {
    this.memory = memory;
    this.id = id;
    this.edit = edit;
  }

  /**
   * The tree with every directory edited. Directories that were looked at before are not read again, unless `afresh`: then all bytes are at hand. Calls of one
   * caller that want the same tree at the same time share one walk, and the bytes that come of it.
   * @param own Directories that are not stored yet, by `hash/size`.
   * @throws BridgeError as `edit` does, `action-missing` for directories that are not stored, `input-unsupported` for a tree beyond the bounds; WireError for
   * directories that are none; UpstreamError if reading fails.
   */
  rewrite(
    scope: Scope,
    root: Digest,
    own: ReadonlyMap<string, Buffer>,
    afresh = false,
  ): Promise<RewrittenTree> {
    const key = `${afresh} ${this.keyOf(scope, formatDigest(root))}`;
    return this.walks.run(key, scope.call, () => this.walk(scope, root, own, afresh));
  }

  private async walk(
    scope: Scope,
    root: Digest,
    own: ReadonlyMap<string, Buffer>,
    afresh: boolean,
  ): Promise<RewrittenTree> {
    const outcomes = new Map<string, Outcome>();
    const { budget } = scope.call;
    let charged = 0;
    try {
      const nodes = await this.read(scope, root, own, afresh ? null : outcomes, (bytes) => {
        charged += bytes;
        budget.charge(bytes);
      });
      this.resolve(scope, root, nodes, outcomes);
    } finally {
      budget.charge(-charged);
    }
    return this.gather(scope, root, outcomes) ?? this.walk(scope, root, own, true);
  }

  /** Reads the tree level by level, what is remembered excepted: that goes into `known`, unless it is null. */
  private async read(
    scope: Scope,
    root: Digest,
    own: ReadonlyMap<string, Buffer>,
    known: Map<string, Outcome> | null,
    charge: (bytes: number) => void,
  ): Promise<Map<string, Node>> {
    const nodes = new Map<string, Node>();
    const seen = new Set<string>();
    let bytesRead = 0;
    const isNew = (digest: Digest): boolean => {
      const key = formatDigest(digest);
      if (seen.has(key)) return false;
      seen.add(key);
      const remembered = known === null ? undefined : this.memory.get<Outcome>(this.keyOf(scope, key));
      if (remembered !== undefined) known!.set(key, remembered);
      return remembered === undefined;
    };
    let level = isNew(root) ? [root] : [];
    for (let depth = 0; level.length > 0; depth++) {
      if (depth > MOST_LEVELS) throw tooLarge(`more than ${MOST_LEVELS} directories deep`);
      const next: Digest[] = [];
      const take = (digest: Digest, bytes: Buffer): void => {
        const children = childrenOf(bytes).map((child) => child.digest);
        nodes.set(formatDigest(digest), { digest, bytes, children });
        charge(bytes.length + BYTES_PER_DIRECTORY);
        bytesRead += bytes.length;
        for (const child of children) if (isNew(child)) next.push(child);
        if (seen.size > MOST_DIRECTORIES) throw tooLarge(`of more than ${MOST_DIRECTORIES} directories`);
        if (bytesRead > MOST_TREE_BYTES) throw tooLarge(`of more than ${MOST_TREE_BYTES} bytes`);
      };
      const stored = level.filter((digest) => !own.has(formatDigest(digest)));
      for (const digest of level) {
        const bytes = own.get(formatDigest(digest));
        if (bytes !== undefined) take(digest, bytes);
      }
      for await (const { digest, bytes } of readMessages(scope, stored)) take(digest, bytes);
      level = next;
    }
    return nodes;
  }

  /** Edits what was read, each directory after those in it. Not recursive, as trees may be deep. */
  private resolve(
    scope: Scope,
    root: Digest,
    nodes: ReadonlyMap<string, Node>,
    outcomes: Map<string, Outcome>,
  ): void {
    const open: { readonly key: string; readonly node: Node; readonly left: Digest[] }[] = [];
    const under = new Set<string>();
    const enter = (digest: Digest): void => {
      const key = formatDigest(digest);
      if (outcomes.has(key)) return;
      if (under.has(key)) throw new WireError("tree", `the directory ${key} contains itself`);
      const node = nodes.get(key)!;
      under.add(key);
      open.push({ key, node, left: [...node.children] });
    };
    enter(root);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const child = top.left.pop();
      if (child !== undefined) {
        enter(child);
        continue;
      }
      const outcome = this.outcomeOf(scope, top.node, outcomes);
      outcomes.set(top.key, outcome);
      const { bytes: _, ...kept } = outcome;
      this.memory.set(
        this.keyOf(scope, top.key),
        { ...kept, bytes: null },
        BYTES_PER_DIRECTORY * (1 + outcome.changed.length),
      );
      under.delete(top.key);
      open.pop();
    }
  }

  private outcomeOf(
    scope: Scope,
    { digest, bytes, children }: Node,
    outcomes: ReadonlyMap<string, Outcome>,
  ): Outcome {
    const mapped = (child: Digest): Digest | null => outcomes.get(formatDigest(child))?.mapped ?? null;
    const own = joined(this.edit(bytes), bytes);
    const after = joined(
      withChildren(own, (child) => mapped(child.digest)),
      own,
    );
    if (after === bytes) return { digest, mapped: null, changed: [], bytes: null };
    return {
      digest,
      mapped: scope.hash(after),
      changed: children.filter((child) => mapped(child) !== null),
      bytes: after,
    };
  }

  /** All that is new in the tree; null if something below was forgotten since. */
  private gather(scope: Scope, root: Digest, outcomes: ReadonlyMap<string, Outcome>): RewrittenTree | null {
    const made = new Map<string, MadeBlob>();
    const seen = new Set<string>();
    const left = [root];
    let newRoot = root;
    for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
      const key = formatDigest(digest);
      if (seen.has(key)) continue;
      seen.add(key);
      const outcome = outcomes.get(key) ?? this.memory.get<Outcome>(this.keyOf(scope, key));
      if (outcome === undefined) return null;
      const { mapped, changed, bytes } = outcome;
      if (mapped === null) continue;
      if (digest === root) newRoot = mapped;
      const name = formatDigest(mapped);
      if (made.get(name)?.bytes == null) made.set(name, { digest: mapped, standsFor: digest, bytes });
      left.push(...changed);
    }
    return { root: newRoot, made: [...made.values()] };
  }

  private keyOf(scope: Scope, digest: string): string {
    return `${this.id} tree ${scope.key}${digest}`;
  }
}

function tooLarge(how: string): BridgeError {
  return new BridgeError({
    code: "input-unsupported",
    feature: "node-properties",
    drift: "D31",
    used: `An input tree ${how}`,
    since: null,
    has: "the bridge has to look through it for what the upstream reads otherwise",
    fix: "say in the profile of the client that it writes no file attributes, or make the tree smaller",
    field: "input_root_digest",
  });
}
