/** Bytes in order, cut anywhere. */
export type Parts = Iterable<Buffer> | AsyncIterable<Buffer>;

/** All of them in one buffer. */
export async function gathered(parts: Parts): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return all.length === 1 ? all[0]! : Buffer.concat(all);
}
