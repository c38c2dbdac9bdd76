/** Protobuf bytes written out by hand, so that tests of the codec do not rest on a codec. */

/** One buffer of several. */
export function bytes(...parts: Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** A length-delimited field. */
export function field(number: number, content: string | Uint8Array): Buffer {
  const body = Buffer.from(content as string);
  return bytes(tag(number, 2), varint(BigInt(body.length)), body);
}

/** A varint field; negative values take ten bytes, as int64 does. */
export function varintField(number: number, value: bigint): Buffer {
  return bytes(tag(number, 0), varint(BigInt.asUintN(64, value)));
}

/** A four-byte field. */
export function fixed32(number: number, value: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32LE(value);
  return bytes(tag(number, 5), body);
}

/** An eight-byte field. */
export function fixed64(number: number, value: bigint): Buffer {
  const body = Buffer.alloc(8);
  body.writeBigUInt64LE(value);
  return bytes(tag(number, 1), body);
}

function tag(number: number, wireType: number): Buffer {
  return varint(BigInt(number * 8 + wireType));
}

function varint(value: bigint): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
  return Buffer.from(out);
}
