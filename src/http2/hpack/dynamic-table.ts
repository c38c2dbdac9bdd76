import type { Field } from "./field.ts";

/**
 * The dynamic table of RFC 7541 section 2.3.2 for either side. Insertions are numbered from 1, and an entry is named by
 * that number: it stays the same while indexes shift. Memory is bounded by the capacity: at most one entry per 32 bytes.
 */
export class DynamicTable {
  /** Number of the newest entry: the count of insertions so far. */
  newest = 0;
  /** Number of the entry that was evicted last; entries above it are in the table. */
  evicted = 0;
  /** The most bytes, counted as in RFC 7541 section 4.1, that the table may hold. */
  capacity: number;

  private size = 0;
  /** Entry n is at `n & (ring.length - 1)`; the length is a power of two. */
  private ring: (Field | null)[] = new Array<Field | null>(16).fill(null);

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** The entry with the given number, which must lie in `(evicted, newest]`. */
  at(insertion: number): Field {
    return this.ring[insertion & (this.ring.length - 1)]!;
  }

  /** Adds a field as the newest entry and evicts old ones for it; one larger than the capacity only empties the table (RFC 7541 section 4.4). */
  insert(field: Field): void {
    this.evictTo(this.capacity - field.size);
    if (field.size > this.capacity) return;
    if (this.newest - this.evicted === this.ring.length) this.grow();
    this.newest++;
    this.ring[this.newest & (this.ring.length - 1)] = field;
    this.size += field.size;
  }

  /** Changes the capacity and evicts what it no longer has room for (RFC 7541 section 4.3). */
  resize(capacity: number): void {
    this.capacity = capacity;
    this.evictTo(capacity);
  }

  private evictTo(size: number): void {
    while (this.size > size && this.evicted < this.newest) {
      const slot = ++this.evicted & (this.ring.length - 1);
      this.size -= this.ring[slot]!.size;
      this.ring[slot] = null;
    }
  }

  private grow(): void {
    const ring = new Array<Field | null>(this.ring.length * 2).fill(null);
    for (let n = this.evicted + 1; n <= this.newest; n++) ring[n & (ring.length - 1)] = this.at(n);
    this.ring = ring;
  }
}
