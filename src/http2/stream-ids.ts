/** Resets remembered per connection: more than a well-behaved peer has in flight. */
const RESETS = 20_000;
/** Gaps remembered per connection; a peer that counts properly leaves none. */
const GAPS = 64;

/**
 * Which stream ids of a connection were used, and what became of streams that are no more: tells a late frame from a wrong one (RFC 9113
 * section 5.1, "idle" and "closed", and 5.1.1).
 */
export class StreamIds {
  /** The highest stream the peer opened; 0 before the first. */
  lastPeer = 0;
  private readonly server: boolean;
  private next = 1;
  private readonly resets = new Set<number>();
  private readonly gaps: [number, number][] = [];

  constructor(server: boolean) {
    this.server = server;
  }

  /** Streams opened so far, by whichever side opens them. */
  get opened(): number {
    return (this.server ? this.lastPeer : this.next) >> 1;
  }

  /** Client role: true if ids are left. */
  get available(): boolean {
    return this.next < 0x7fff_ffff;
  }

  /** Client role: the id of a new stream. */
  take(): number {
    const id = this.next;
    this.next += 2;
    return id;
  }

  /** Server role: true if `id` may be a new stream of the peer. */
  isNew(id: number): boolean {
    return this.server && (id & 1) === 1 && id > this.lastPeer;
  }

  /** Server role: the peer opened stream `id`; what it passed over closed without ever being open. */
  accept(id: number): void {
    const previous = this.lastPeer === 0 ? -1 : this.lastPeer;
    this.lastPeer = id;
    if (id <= previous + 2) return;
    if (this.gaps.length >= GAPS) this.gaps.shift();
    this.gaps.push([previous, id]);
  }

  /** True for streams nobody has opened, including those that the peer could never open. */
  isIdle(id: number): boolean {
    if ((id & 1) === 0) return true;
    return this.server ? id > this.lastPeer : id >= this.next;
  }

  /** Stream `id` was reset by us: the peer may not know yet. */
  addReset(id: number): void {
    if (this.resets.size >= RESETS) this.resets.delete(this.resets.values().next().value!);
    this.resets.add(id);
  }

  /** True if stream `id` was reset by us, lately. */
  wasReset(id: number): boolean {
    return this.resets.size > 0 && this.resets.has(id);
  }

  /** True if stream `id` was passed over, lately. */
  wasSkipped(id: number): boolean {
    return this.gaps.some(([previous, next]) => id > previous && id < next);
  }
}
