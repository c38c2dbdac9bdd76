/**
 * protobufjs, loaded when first asked for, with a reader and a writer of our own: 64-bit integers are bigints and unknown fields
 * are kept. protobufjs 8 itself reads 64-bit integers as objects, and writes a bigint as 0 without an error.
 */
import { createRequire } from "node:module";
import type * as Protobuf from "protobufjs/light.js";

/** The protobufjs module and the two classes the codec uses in place of its own. */
export interface ProtobufIo {
  protobuf: typeof Protobuf;
  Reader: new (bytes: Uint8Array) => Protobuf.Reader;
  Writer: new () => Protobuf.BufferWriter;
}

let loaded: ProtobufIo | undefined;

/** Loads protobufjs once (some 20 ms); later calls return the same object. */
export function loadProtobufIo(): ProtobufIo {
  loaded ??= define(createRequire(import.meta.url)("protobufjs/light.js"));
  return loaded;
}

function define(protobuf: typeof Protobuf): ProtobufIo {
  class Reader extends protobuf.BufferReader {
    constructor(bytes: Uint8Array) {
      super(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      this.discardUnknown = false;
    }

    // The declared return type cannot name a bigint; what callers of the codec see is typed by the generated messages.
    override int64(): never {
      return this.#varint(BigInt.asIntN) as never;
    }

    override uint64(): never {
      return this.#varint(BigInt.asUintN) as never;
    }

    /** Up to ten bytes; the first seven fit a number exactly, and almost every size ends within them. */
    #varint(wrap: (bits: 64, value: bigint) => bigint): bigint {
      let low = 0;
      for (let scale = 1; scale < 2 ** 49; scale *= 128) {
        const byte = this.#byte();
        low += (byte & 127) * scale;
        if (byte < 128) return BigInt(low);
      }
      let value = BigInt(low);
      for (let shift = 49n; shift < 70n; shift += 7n) {
        const byte = this.#byte();
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return wrap(64, value);
      }
      throw new RangeError("a 64-bit integer is longer than ten bytes");
    }

    #byte(): number {
      const byte = this.pos < this.len ? this.buf[this.pos] : undefined;
      if (byte === undefined) throw new RangeError(`the input ends inside an integer at byte ${this.pos}`);
      this.pos += 1;
      return byte;
    }
  }

  class Writer extends protobuf.BufferWriter {
    override int64(value: unknown): this {
      return super.int64(wireValue(value, true)) as this;
    }

    override uint64(value: unknown): this {
      return super.uint64(wireValue(value, false)) as this;
    }
  }

  return { protobuf, Reader, Writer };
}

/** The integer in a form that protobufjs writes exactly: a number where that is safe, else an object of two halves. */
function wireValue(value: unknown, signed: boolean): number {
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
    const given = `${typeof value} ${String(value)}`;
    throw new TypeError(`a 64-bit field needs a bigint or a safe integer, not ${given}`);
  }
  const number = Number(value);
  if (Number.isSafeInteger(number) && (signed || number >= 0)) return number;
  const exact = BigInt(value as bigint | number);
  if (exact !== (signed ? BigInt.asIntN(64, exact) : BigInt.asUintN(64, exact))) {
    throw new RangeError(`${exact} is outside the range of its 64-bit field`);
  }
  const halves = { low: Number(BigInt.asIntN(32, exact)), high: Number(BigInt.asIntN(32, exact >> 32n)) };
  return halves as unknown as number;
}
