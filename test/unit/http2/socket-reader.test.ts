import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { readAccepted } from "../../../src/http2/socket-reader.ts";

/** A megabyte whose bytes tell where they were. */
const SENT = Buffer.from(Uint32Array.from({ length: 1 << 18 }, (_, i) => i).buffer);

/** Sends `SENT` to an accepted socket and returns what the reader delivered: copies of the bytes, and the buffers they came in. */
async function receive(usePrivate: boolean): Promise<{ bytes: Buffer; buffers: Buffer[] }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const client = connect(port, "127.0.0.1").end(SENT);
  const [socket] = await accepted;
  const parts: Buffer[] = [];
  const buffers: Buffer[] = [];
  await new Promise<void>((resolve) => {
    readAccepted(socket, usePrivate).start({
      receive(buffer, start, end) {
        parts.push(Buffer.from(buffer.subarray(start, end)));
        buffers.push(buffer);
      },
      ended: () => resolve(),
    });
  });
  client.destroy();
  socket.destroy();
  server.close();
  await once(server, "close");
  return { bytes: Buffer.concat(parts), buffers };
}

for (const usePrivate of [true, false]) {
  test(`every byte arrives in order, ${usePrivate ? "private" : "documented"} read path`, async () => {
    const { bytes } = await receive(usePrivate);
    assert.ok(bytes.equals(SENT));
  });
}

test("the documented read path gives the memory of large reads back at once", async () => {
  const { buffers } = await receive(false);
  const sizes = buffers.map(({ length }) => length);
  assert.ok(!sizes.includes(65_536), "Node's reads are of 64 KiB at most");
  assert.ok(sizes.includes(0), "a buffer whose memory was given back has no length");
});
