/** Removes ever smaller stretches of a failing input as long as it keeps failing; `fails` gets copies. */
export function shrink(input: Buffer, fails: (bytes: Buffer) => boolean): Buffer {
  let smallest = input;
  for (let size = input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= smallest.length; ) {
      const shorter = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if (fails(Buffer.from(shorter))) smallest = shorter;
      else at += size;
    }
  }
  return smallest;
}
