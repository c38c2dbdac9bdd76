/** Looks for what has to be refused in the Action that Execute names, in its Command and in its input tree. */
import { BridgeError } from "../spec/bridge-error.ts";
import type { Call } from "../translators/translator.ts";
import type { BlobRead } from "../upstream/port.ts";
import { type Digest, formatDigest, readDigest } from "../wire/digest.ts";
import { digestFunctionByNumber } from "../wire/digest-function.ts";
import type { Violation } from "../wire/error-details.ts";
import { Status } from "../wire/status.ts";
import { Walker, WireType } from "../wire/walker.ts";

/** What is refused when one of these messages has it. */
export type ContentCheck = { readonly refusal: () => BridgeError } & (
  | { readonly in: "action"; readonly found: (action: Buffer, command: Buffer) => boolean }
  | { readonly in: "directory"; readonly found: (directory: Buffer) => boolean }
);

/** Actions and directories remembered as having nothing to refuse, all that is below them included. */
const MOST_CLEAN = 100_000;
/** The most directories that are read for one action. */
const MOST_DIRECTORIES = 100_000;
/** The most bytes of one message of the store. */
const MOST_BYTES = 16 << 20;
/** What a directory waiting to be read takes, with its key. */
const BYTES_PER_DIRECTORY = 400;

/**
 * Checks actions for one plan. Directories are read only if a check asks for them, each once, and only those that no earlier action led to: what was
 * found clean stays so, as a digest names its content. That spares reading; it says nothing of what is stored or who may see it.
 */
export class ActionCheck {
  private readonly checks: readonly ContentCheck[];
  private readonly clean = new Set<string>();

  constructor(checks: readonly ContentCheck[]) {
    this.checks = checks;
  }

  /**
   * Looks at the action of an `ExecuteRequest`.
   * @throws BridgeError of the first check that finds something; `action-missing` if a message is not in the store; `input-unsupported` for a tree of
   * more directories than are read. UpstreamError if reading fails otherwise, WireError for messages that are none.
   */
  async run(request: Buffer, call: Call): Promise<void> {
    const { digest, fn } = actionOf(request);
    if (digest === null || this.clean.has(keyOf(digest, fn))) return;
    const reader = new Reader(call, fn);
    const action = await reader.one(digest);
    const commandDigest = digestIn(action, 1);
    const command = commandDigest === null ? EMPTY : await reader.one(commandDigest);
    for (const check of this.checks) {
      if (check.in === "action" && check.found(action, command)) throw check.refusal();
    }
    const seen = await this.directories(digestIn(action, 2), reader, call);
    for (const key of [...seen, keyOf(digest, fn)]) this.remember(key);
  }

  /** Checks the tree, level by level; returns the keys of what was read. */
  private async directories(root: Digest | null, reader: Reader, { budget }: Call): Promise<Set<string>> {
    const seen = new Set<string>();
    const checks = this.checks.filter((check) => check.in === "directory");
    let level = root !== null && checks.length > 0 && this.isNew(keyOf(root, reader.fn), seen) ? [root] : [];
    let charged = 0;
    try {
      while (level.length > 0) {
        const next: Digest[] = [];
        for await (const directory of reader.many(level)) {
          for (const check of checks) if (check.found(directory)) throw check.refusal();
          for (const child of childrenOf(directory))
            if (this.isNew(keyOf(child, reader.fn), seen)) next.push(child);
          if (seen.size > MOST_DIRECTORIES) throw tooLarge();
        }
        const bytes = next.length * BYTES_PER_DIRECTORY;
        charged += bytes;
        budget.charge(bytes);
        level = next;
      }
    } finally {
      budget.charge(-charged);
    }
    return seen;
  }

  private isNew(key: string, seen: Set<string>): boolean {
    if (seen.has(key) || this.clean.has(key)) return false;
    seen.add(key);
    return true;
  }

  private remember(key: string): void {
    this.clean.add(key);
    if (this.clean.size > MOST_CLEAN) this.clean.delete(this.clean.values().next().value!);
  }
}

/** Reads messages of the store; whatever is not there ends the call as a server would end it. */
class Reader {
  /** Number of the digest function that the request names; 0 if it leaves it to the length. */
  readonly fn: number;
  private readonly call: Call;

  constructor(call: Call, fn: number) {
    this.call = call;
    this.fn = fn;
  }

  async one(digest: Digest): Promise<Buffer> {
    for await (const message of this.many([digest])) return message;
    throw this.missing([digest]);
  }

  /** The messages in any order. One of no bytes is not asked for: since 2.2 clients need not store it (D13). */
  async *many(digests: readonly Digest[]): AsyncGenerator<Buffer, void, void> {
    const wanted = digests.filter(({ sizeBytes }) => sizeBytes > 0).map(lowered);
    if (wanted.length < digests.length) yield EMPTY;
    if (wanted.length === 0) return;
    const missing: Digest[] = [];
    for await (const read of this.call.port.readBlobs(wanted, MOST_BYTES)) {
      if ("bytes" in read) yield read.bytes;
      else if (isMissing(read)) missing.push(read.digest);
      else throw read.error;
    }
    if (missing.length > 0) throw this.missing(missing);
  }

  private missing(digests: readonly Digest[]): BridgeError {
    const fn = digestFunctionByNumber(this.fn);
    const segment = fn === undefined || fn.implicit ? "" : `${fn.segment}/`;
    return new BridgeError({
      code: "action-missing",
      feature: "missing-blobs",
      drift: "D07",
      used: `${digests.length === 1 ? `The blob ${formatDigest(digests[0]!)}` : `${digests.length} blobs`} of the action`,
      since: null,
      has: "the upstream does not have it, and it has to be read before the action can run",
      fix: "upload what the details list",
      field: null,
      missing: digests.map(
        (digest): Violation => ({
          type: "MISSING",
          subject: `blobs/${segment}${formatDigest(digest)}`,
          description: "",
        }),
      ),
    });
  }
}

const EMPTY = Buffer.alloc(0);

function isMissing(read: Extract<BlobRead, { error: unknown }>): boolean {
  return read.error.code === Status.NOT_FOUND;
}

function tooLarge(): BridgeError {
  return new BridgeError({
    code: "input-unsupported",
    feature: "node-properties",
    drift: "D31",
    used: `An input tree of more than ${MOST_DIRECTORIES} directories`,
    since: null,
    has: "the bridge has to look through it for what the upstream would drop",
    fix: "say in the profile of the client that it writes no file attributes, or make the tree smaller",
    field: "input_root_digest",
  });
}

function actionOf(request: Buffer): { digest: Digest | null; fn: number } {
  const field = new Walker(request);
  let fn = 0;
  while (field.next()) if (field.number === 9 && field.wireType === WireType.VARINT) fn = field.int32();
  return { digest: digestIn(request, 6), fn };
}

/** The last digest in the field `number`; null if there is none or it is of nothing that could be read. */
function digestIn(message: Buffer, number: number): Digest | null {
  let digest: Digest | null = null;
  const field = new Walker(message);
  while (field.next()) {
    if (field.number === number && field.wireType === WireType.LEN) digest = readDigest(field.enter());
  }
  return digest;
}

function childrenOf(directory: Buffer): Digest[] {
  const children: Digest[] = [];
  const field = new Walker(directory);
  while (field.next()) {
    if (field.number !== 2 || field.wireType !== WireType.LEN) continue;
    const node = field.enter();
    while (node.next()) {
      if (node.number === 2 && node.wireType === WireType.LEN) children.push(readDigest(node.enter()));
    }
  }
  return children;
}

/** Hashes are read in lower case, whatever their text: what to make of upper case is for `hash-text`. */
function lowered({ hash, sizeBytes }: Digest): Digest {
  return { hash: hash.toLowerCase(), sizeBytes };
}

function keyOf(digest: Digest, fn: number): string {
  return `${fn} ${formatDigest(digest)}`;
}
