/** From the client's Action to the one that the upstream runs in its place: f of drift.md, with all it needs to be stored (R8). */
import type { BridgeError } from "../spec/bridge-error.ts";
import type { ActionMessages } from "../translators/translator.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import { digestIn, numberIn, sameDigest, withDigests } from "../wire/fields.ts";
import { joined } from "../wire/rewrite.ts";
import { InputTrees, type MadeBlob } from "./input-tree.ts";
import { makeDirectories } from "./make-directories.ts";
import type { Memory } from "./memory.ts";
import type { Scope } from "./scope.ts";
import { readMessage } from "./store-reader.ts";
import { type ActionStep, transform } from "./transform.ts";

/** What is refused when one of these messages has it. */
export type ContentCheck = { readonly refusal: () => BridgeError } & (
  | { readonly in: "action"; readonly found: (action: Buffer, command: Buffer) => boolean }
  | { readonly in: "directory"; readonly found: (directory: Buffer) => boolean }
);

/** Field numbers of Action. */
const ActionField = { command: 1, inputRoot: 2, doNotCache: 7 } as const;

/** An action of the client's, and the one that runs in its place. */
export interface Prepared {
  /** The client's digests of its Action and its Command; null for an Action without one. */
  readonly action: Digest;
  readonly command: Digest | null;
  readonly messages: ActionMessages;
  /** What each step got of the two, by its place. */
  readonly given: readonly ActionMessages[];
  /** The digest of what runs: the client's own, where nothing had to change. */
  readonly mapped: Digest;
  /** Whether the client forbids to cache the action (D43). */
  readonly doNotCache: boolean;
  /** All that has to be stored for it to run, besides the client's own blobs. */
  readonly made: readonly MadeBlob[];
  /** Whether every Directory of the input tree was looked at. */
  readonly walked: boolean;
  readonly nonce: Buffer | null;
}

/** How an action is to be prepared. */
export interface PrepareOptions {
  /** Whether it is to run: then what the upstream would lose is refused. */
  readonly runs: boolean;
  /** Of an operation that has one; null for none yet. */
  readonly nonce?: Buffer | null;
  /** Whether the bytes of all that is made are wanted, not only their digests. */
  readonly afresh?: boolean;
}

/** Prepares the actions of one plan. */
export class Preparer {
  private readonly steps: readonly ActionStep[];
  private readonly checks: readonly ContentCheck[];
  private readonly memory: Memory;
  private readonly id: string;
  /** Editing trees only, and refusing what they hold as well; null where nobody looks at directories. */
  private readonly trees: { readonly edited: InputTrees | null; readonly checked: InputTrees | null };

  /** `id` tells this plan from others that share `memory`. */
  constructor(steps: readonly ActionStep[], checks: readonly ContentCheck[], memory: Memory, id: string) {
    this.steps = steps;
    this.checks = checks;
    this.memory = memory;
    this.id = id;
    const edits = steps.flatMap(({ directory }) => directory ?? []);
    const refused = checks.filter((check) => check.in === "directory");
    const editAll = (directory: Buffer): readonly Buffer[] | null => {
      let current = directory;
      for (const edit of edits) current = joined(edit(current), current);
      return current === directory ? null : [current];
    };
    const checkAll = (directory: Buffer): readonly Buffer[] | null => {
      for (const check of refused) if (check.found(directory)) throw check.refusal();
      return editAll(directory);
    };
    const edited = edits.length === 0 ? null : new InputTrees(memory, `${id} edited`, editAll);
    const checked = refused.length === 0 ? edited : new InputTrees(memory, `${id} checked`, checkAll);
    this.trees = { edited, checked };
  }

  /** What is remembered of an action, if nothing has to be read to know what runs in its place. */
  remembered(scope: Scope, action: Digest): Prepared | null {
    return this.memory.get<Prepared>(this.keyOf(scope, action)) ?? null;
  }

  /**
   * The action prepared: from memory, or read from the store.
   * @throws BridgeError of a step or a check that refuses, `action-missing` for blobs that are not stored; UpstreamError if reading fails; WireError for messages
   * that are none.
   */
  async prepare(scope: Scope, action: Digest, options: PrepareOptions): Promise<Prepared> {
    const { runs, nonce = null, afresh = false } = options;
    const known = this.remembered(scope, action);
    const trees = runs ? this.trees.checked : this.trees.edited;
    const messages = known?.messages ?? (await this.read(scope, action));
    if (runs) this.check(messages);
    if (known !== null && !afresh && nonce === null && (known.walked || trees === null)) return known;
    const made = await this.make(scope, action, messages, trees, nonce, afresh);
    if (nonce === null) this.remember(scope, made);
    return made;
  }

  /** Whether an execution of the action is to have a nonce. */
  wantsNonce({ messages }: Prepared): boolean {
    return this.steps.some(({ nonce }) => nonce?.(messages) === true);
  }

  private async read(scope: Scope, digest: Digest): Promise<ActionMessages> {
    const action = await readMessage(scope, digest);
    const command = digestIn(action, ActionField.command);
    return { action, command: command === null ? EMPTY : await readMessage(scope, command) };
  }

  private check({ action, command }: ActionMessages): void {
    for (const check of this.checks)
      if (check.in === "action" && check.found(action, command)) throw check.refusal();
  }

  private async make(
    scope: Scope,
    action: Digest,
    messages: ActionMessages,
    trees: InputTrees | null,
    nonce: Buffer | null,
    afresh: boolean,
  ): Promise<Prepared> {
    const digestOf = (bytes: Buffer): Digest => scope.hash(bytes);
    const changed = transform(this.steps, messages, { nonce });
    const made: MadeBlob[] = [];
    const command = digestIn(messages.action, ActionField.command);
    let newCommand = command;
    if (changed.command !== messages.command) {
      newCommand = digestOf(changed.command);
      made.push({ digest: newCommand, standsFor: command, bytes: changed.command });
    }
    const root = digestIn(messages.action, ActionField.inputRoot);
    const tree = root === null ? null : await this.treeOf(scope, root, changed.directories, trees, afresh);
    made.push(...(tree?.made ?? []));
    const digests = new Map([
      [ActionField.command, sameDigest(command, newCommand) ? null : newCommand],
      [ActionField.inputRoot, sameDigest(root, tree?.root ?? null) ? null : tree!.root],
    ] as const);
    const mappedBytes = withDigests(changed.action, digests);
    const isSame = mappedBytes === messages.action;
    const mapped = isSame ? action : digestOf(mappedBytes);
    if (!isSame) made.push({ digest: mapped, standsFor: action, bytes: mappedBytes });
    return {
      action,
      command,
      messages,
      given: changed.given,
      mapped,
      doNotCache: numberIn(messages.action, ActionField.doNotCache) !== 0,
      made,
      walked: trees !== null,
      nonce,
    };
  }

  private async treeOf(
    scope: Scope,
    root: Digest,
    directories: readonly string[],
    trees: InputTrees | null,
    afresh: boolean,
  ): Promise<{ readonly root: Digest; readonly made: readonly MadeBlob[] }> {
    const added =
      directories.length === 0
        ? { root, made: [] }
        : await makeDirectories(
            root,
            directories,
            (digest) => readMessage(scope, digest),
            (bytes) => scope.hash(bytes),
          );
    const own = new Map(added.made.map(({ digest, bytes }) => [formatDigest(digest), bytes]));
    const befores = new Map(added.made.map(({ digest, before }) => [formatDigest(digest), before]));
    const clientOf = (digest: Digest): Digest | null => {
      const before = befores.get(formatDigest(digest));
      return before === undefined ? digest : before;
    };
    if (trees === null) {
      const made = added.made.map(
        ({ digest, bytes, before }): MadeBlob => ({ digest, bytes, standsFor: before }),
      );
      return { root: added.root, made };
    }
    const rewritten = await trees.rewrite(scope, added.root, own, afresh || own.size > 0);
    const replaced = new Set(
      rewritten.made.flatMap(({ standsFor }) => (standsFor === null ? [] : [formatDigest(standsFor)])),
    );
    // What was added and then edited is never stored as it was in between.
    const kept = added.made.filter(({ digest }) => !replaced.has(formatDigest(digest)));
    return {
      root: rewritten.root,
      made: [
        ...kept.map(({ digest, bytes, before }): MadeBlob => ({ digest, bytes, standsFor: before })),
        ...rewritten.made.map(
          (blob): MadeBlob => ({
            ...blob,
            standsFor: blob.standsFor === null ? null : clientOf(blob.standsFor),
          }),
        ),
      ],
    };
  }

  /** Keeps copies: what was read lies in messages that hold much else. */
  private remember(scope: Scope, prepared: Prepared): void {
    const copies = new Map<Buffer, Buffer>();
    let bytes = 0;
    const copy = (buffer: Buffer): Buffer => {
      let copied = copies.get(buffer);
      if (copied === undefined) {
        copied = Buffer.from(buffer);
        copies.set(buffer, copied);
        bytes += copied.length + 100;
      }
      return copied;
    };
    const copyBoth = ({ action, command }: ActionMessages): ActionMessages => ({
      action: copy(action),
      command: copy(command),
    });
    const kept: Prepared = {
      ...prepared,
      messages: copyBoth(prepared.messages),
      given: prepared.given.map(copyBoth),
      // Action and Command are small; directories are read again where the upstream loses them.
      made: prepared.made.map((blob, index) => {
        const isMessage = index === 0 || index === prepared.made.length - 1;
        return { ...blob, bytes: blob.bytes === null || !isMessage ? null : copy(blob.bytes) };
      }),
    };
    this.memory.set(this.keyOf(scope, prepared.action), kept, bytes + 500 * prepared.made.length);
  }

  private keyOf(scope: Scope, action: Digest): string {
    return `${this.id} action ${scope.key}${formatDigest(action)}`;
  }
}

const EMPTY = Buffer.alloc(0);
