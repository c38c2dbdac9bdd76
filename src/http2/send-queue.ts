import { type Block, BlockPool } from "./block.ts";
import type { Budget } from "./budget.ts";
import { MAX_FRAME_PAYLOAD } from "./constants.ts";
import { copyWithHeadroom, HEADROOM } from "./headroom.ts";
import { type Field, listSize } from "./hpack/field.ts";

/** Copies from this size on go into blocks that are used again; smaller ones would leave too much of a block empty. */
const WORTH_A_BLOCK = MAX_FRAME_PAYLOAD / 2;
const frames = new BlockPool(MAX_FRAME_PAYLOAD, 512);
const NOTHING = Buffer.alloc(0);

/** Bytes, `data[start,end)`, or a header list that wait to be sent on a stream. */
export interface Queued {
  readonly data: Buffer;
  start: number;
  end: number;
  readonly fields: readonly Field[] | null;
  /** It ends the stream. */
  fin: boolean;
  /** It came from another stream, which gets credit as it leaves. */
  readonly forwarded: boolean;
  /** The bytes before `start` are free for a frame header. */
  headroom: boolean;
  /** Where `data` lies, pinned once. */
  readonly block: Block | null;
}

/**
 * What waits to be sent on one stream, in order. Its header lists are charged to the budget; its bytes count there for the stream they came
 * from.
 */
export class SendQueue {
  /** Bytes of data that wait. */
  bytes = 0;
  private readonly budget: Budget;
  private readonly items: Queued[] = [];

  constructor(budget: Budget) {
    this.budget = budget;
  }

  /** True if nothing waits. */
  get empty(): boolean {
    return this.items.length === 0;
  }

  /** True if the end of the stream waits: nothing can come after it. */
  get ended(): boolean {
    return this.items[this.items.length - 1]?.fin === true;
  }

  /** What is next. */
  get first(): Queued | undefined {
    return this.items[0];
  }

  /** Adds a header list, whose fields are retained. */
  addHeaders(fields: readonly Field[], fin: boolean): void {
    this.budget.charge(listSize(fields));
    this.items.push({
      data: NOTHING,
      start: 0,
      end: 0,
      fields,
      fin,
      forwarded: false,
      headroom: false,
      block: null,
    });
  }

  /** Adds bytes that nobody else changes. */
  addOwn(data: Buffer, fin: boolean): void {
    this.bytes += data.length;
    const item = {
      data,
      start: 0,
      end: data.length,
      fields: null,
      fin,
      forwarded: false,
      headroom: false,
      block: null,
    };
    this.items.push(item);
  }

  /** Adds a copy of bytes that came from another stream, at most a frame. */
  addCopy(buffer: Buffer, start: number, end: number, fin: boolean): void {
    const bytes = end - start;
    this.bytes += bytes;
    const last = this.items[this.items.length - 1];
    if (last !== undefined && last.block !== null && last.end + bytes <= last.data.length) {
      buffer.copy(last.data, last.end, start, end);
      last.end += bytes;
      last.fin = fin;
      return;
    }
    const block = bytes >= WORTH_A_BLOCK ? frames.take() : null;
    if (block !== null) buffer.copy(block.buffer, HEADROOM, start, end);
    const data = block === null ? copyWithHeadroom(buffer, start, end) : block.buffer;
    this.items.push({
      data,
      start: HEADROOM,
      end: HEADROOM + bytes,
      fields: null,
      fin,
      forwarded: true,
      headroom: true,
      block,
    });
  }

  /** The first item, a header list, is sent. */
  shift(): void {
    const item = this.items.shift();
    this.budget.charge(-listSize(item?.fields ?? []));
  }

  /** The next `bytes` of the first item are sent. Its block stays pinned: that is for the caller to end with the last of them. */
  sent(item: Queued, bytes: number): void {
    this.bytes -= bytes;
    item.start += bytes;
    // What is before the rest may still be on its way.
    item.headroom = false;
    if (item.start === item.end) this.items.shift();
  }

  /** Drops everything; returns how much of it came from another stream. */
  clear(): number {
    let forwarded = 0;
    for (const item of this.items) {
      if (item.forwarded) forwarded += item.end - item.start;
      if (item.fields !== null) this.budget.charge(-listSize(item.fields));
      item.block?.unpin();
    }
    this.items.length = 0;
    this.bytes = 0;
    return forwarded;
  }
}
