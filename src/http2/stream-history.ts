/** Resets remembered per connection: more than a well-behaved peer has in flight. */
const RESETS = 20_000;
/** Gaps remembered per connection; a peer that counts properly leaves none. */
const GAPS = 64;

/**
 * What a connection has to remember of streams that are no more, to tell a late frame from a wrong one (RFC 9113 section 5.1,
 * "closed", and 5.1.1).
 */
export class StreamHistory {
  private readonly resets = new Set<number>();
  private readonly gaps: [number, number][] = [];

  /** Stream `id` was reset by us: the peer may not know yet. */
  addReset(id: number): void {
    if (this.resets.size >= RESETS) this.resets.delete(this.resets.values().next().value!);
    this.resets.add(id);
  }

  /** True if stream `id` was reset by us, lately. */
  wasReset(id: number): boolean {
    return this.resets.size > 0 && this.resets.has(id);
  }

  /** The peer opened stream `id` after `previous`; what lies between closed without ever being open. */
  addOpened(previous: number, id: number): void {
    if (id <= previous + 2) return;
    if (this.gaps.length >= GAPS) this.gaps.shift();
    this.gaps.push([previous, id]);
  }

  /** True if stream `id` was passed over, lately. */
  wasSkipped(id: number): boolean {
    return this.gaps.some(([previous, next]) => id > previous && id < next);
  }
}
