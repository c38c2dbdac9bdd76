import type { Stream } from "./stream.ts";

const FIRST_SLOTS = 64;
const MOST_SLOTS = 8_192;

/**
 * The open streams of a connection by id. Ids only grow, so a stream's place is its id modulo the number of slots; one that is still open
 * when its place comes up again moves to a map. A map alone would cost more in garbage collection than all the rest of a call: V8
 * replaces its tables as entries come and go, and the old ones keep each other, and ended streams, alive.
 */
export class StreamTable {
  private slots: (Stream | null)[] = new Array<Stream | null>(FIRST_SLOTS).fill(null);
  private readonly longLived = new Map<number, Stream>();
  private count = 0;

  /** Streams in the table. */
  get size(): number {
    return this.count;
  }

  /** The stream `id`, if it is open. */
  get(id: number): Stream | undefined {
    const stream = this.slots[(id >>> 1) & (this.slots.length - 1)];
    if (stream !== null && stream !== undefined && stream.id === id) return stream;
    return this.longLived.size > 0 ? this.longLived.get(id) : undefined;
  }

  /** Adds a stream whose id is higher than all before. */
  add(stream: Stream): void {
    this.count++;
    let at = (stream.id >>> 1) & (this.slots.length - 1);
    while (this.slots[at] !== null && this.count * 2 > this.slots.length && this.slots.length < MOST_SLOTS) {
      this.grow();
      at = (stream.id >>> 1) & (this.slots.length - 1);
    }
    const before = this.slots[at];
    if (before !== null && before !== undefined) this.longLived.set(before.id, before);
    this.slots[at] = stream;
  }

  /** Takes a stream out. */
  remove(stream: Stream): void {
    const at = (stream.id >>> 1) & (this.slots.length - 1);
    if (this.slots[at] === stream) {
      this.slots[at] = null;
      this.count--;
    } else if (this.longLived.delete(stream.id)) {
      this.count--;
    }
  }

  /** All open streams at this moment, oldest first. */
  all(): Stream[] {
    const streams = [...this.longLived.values()];
    for (const stream of this.slots) if (stream !== null) streams.push(stream);
    return streams.sort((a, b) => a.id - b.id);
  }

  private grow(): void {
    const streams = this.slots;
    this.slots = new Array<Stream | null>(streams.length * 2).fill(null);
    // Distinct slots stay distinct when their number doubles.
    for (const stream of streams) {
      if (stream !== null) this.slots[(stream.id >>> 1) & (this.slots.length - 1)] = stream;
    }
  }
}
