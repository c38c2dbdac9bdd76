/** Streams remembered per connection: more than a well-behaved peer has in flight. */
const REMEMBERED = 20_000;

/**
 * The streams of one connection that we reset lately. Frames that the peer sent on them before it knew are not its fault
 * (RFC 9113 section 5.1, "closed").
 */
export class ResetMemory {
  private readonly ids = new Set<number>();

  /** Remembers that stream `id` was reset by us. */
  add(id: number): void {
    if (this.ids.size >= REMEMBERED) this.ids.delete(this.ids.values().next().value!);
    this.ids.add(id);
  }

  /** True if stream `id` was reset by us, lately. */
  has(id: number): boolean {
    return this.ids.size > 0 && this.ids.has(id);
  }
}
