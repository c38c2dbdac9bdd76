/** Blobs that result hooks make of stored ones: remembered by what they are made of, verified each time, made again where the upstream lost them. */
import type { Derived } from "../translators/translator.ts";
import { MOST_TREE_BYTES } from "../tree/tree-message.ts";
import type { Blob } from "../upstream/port.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../wire/digest.ts";
import { Status } from "../wire/status.ts";
import type { Memory } from "./memory.ts";
import type { Scope } from "./scope.ts";
import { writeMade } from "./store-made.ts";

interface Kept {
  readonly value: unknown;
  readonly digests: readonly Digest[];
}

type Make = () => Promise<Derived<unknown>>;

/** The blobs that belong to one result. */
export class DerivedBlobs {
  private readonly scope: Scope;
  private readonly memory: Memory;
  private readonly id: string;
  /** Made for this result, by `hash/size`. */
  private readonly made = new Map<string, Blob>();
  /** Remembered from others: how to make each again. */
  private readonly again = new Map<string, { readonly digest: Digest; readonly make: Make }>();
  private charged = 0;

  constructor(scope: Scope, memory: Memory, id: string) {
    this.scope = scope;
    this.memory = memory;
    this.id = id;
  }

  /** As `Originals.derive`. */
  async derive<Value>(key: string, make: () => Promise<Derived<Value>>): Promise<Value> {
    const place = `${this.id} derived ${this.scope.key}${key}`;
    const kept = this.memory.get<Kept>(place);
    if (kept !== undefined) {
      for (const digest of kept.digests) this.again.set(formatDigest(digest), { digest, make });
      return kept.value as Value;
    }
    const { value, blobs } = await make();
    this.add(blobs);
    const digests = blobs.map(({ digest }) => digest);
    const bytes = Buffer.isBuffer(value) ? value.length : 0;
    this.memory.set(place, { value, digests } satisfies Kept, bytes + 200 * (1 + digests.length));
    return value;
  }

  /** As `Originals.read`. */
  async read(digest: Digest): Promise<Buffer> {
    const key = formatDigest(digest);
    const made = this.made.get(key);
    if (made !== undefined) return made.bytes;
    this.scope.note(digest);
    try {
      return await this.scope.port.readBlob(digest, MOST_TREE_BYTES);
    } catch (error) {
      const again = this.again.get(key);
      if (again === undefined || !(error instanceof UpstreamError && error.code === Status.NOT_FOUND))
        throw error;
      this.add((await again.make()).blobs);
      return this.read(digest);
    }
  }

  /** Stores what the upstream lacks. @throws UpstreamError. */
  async store(): Promise<void> {
    const { port } = this.scope;
    const all = [...this.made.values(), ...this.again.values()].map(({ digest }) => digest);
    if (all.length === 0) return;
    const missing = await port.findMissing(all);
    const keys = new Set(missing.map(formatDigest));
    for (const key of keys) {
      const again = this.again.get(key);
      if (again !== undefined && !this.made.has(key)) this.add((await again.make()).blobs);
    }
    const blobs = [...this.made.values()].filter(({ digest }) => keys.has(formatDigest(digest)));
    if (blobs.length > 0) await writeMade(this.scope, blobs);
  }

  /** Gives back what the blobs were charged to the budget. */
  close(): void {
    this.scope.call.budget.charge(-this.charged);
    this.charged = 0;
  }

  private add(blobs: readonly Blob[]): void {
    for (const blob of blobs) {
      const key = formatDigest(blob.digest);
      if (this.made.has(key)) continue;
      this.made.set(key, blob);
      this.charged += blob.bytes.length;
      this.scope.call.budget.charge(blob.bytes.length);
    }
  }
}
