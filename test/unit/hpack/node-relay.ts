import { once } from "node:events";
import http2 from "node:http2";
import { type Duplex, duplexPair } from "node:stream";
import { HpackDecoder } from "../../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../../src/http2/hpack/encoder.ts";
import type { Field } from "../../../src/http2/hpack/field.ts";
import { encode } from "./support.ts";

const PREFACE_LENGTH = 24;
const FRAME_HEADER = 9;
const HEADERS = 1;
const SETTINGS = 4;
const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 32;
const ACK = 1;
const HEADER_TABLE_SIZE = 1;

/** One way through the relay: from a peer whose blocks are decoded to one that gets them encoded anew. */
class Lane {
  /** Table sizes that the receiving peer announced and the sending one has not acknowledged. */
  readonly announced: (number | null)[] = [];
  back: Lane | null = null;
  private readonly decoder = new HpackDecoder();
  private readonly encoder = new HpackEncoder();
  private readonly change: (fields: Field[]) => Field[];
  private readonly to: Duplex;
  private pending: Buffer = Buffer.alloc(0);

  constructor(to: Duplex, change: (fields: Field[]) => Field[]) {
    this.to = to;
    this.change = change;
  }

  /** Takes bytes, frames or parts of them, and passes on what is whole. */
  receive(bytes: Buffer, skip: number): void {
    this.pending = Buffer.concat([this.pending, bytes]);
    if (this.pending.length < skip) return;
    let at = skip;
    while (this.pending.length - at >= FRAME_HEADER) {
      const end = at + FRAME_HEADER + this.pending.readUIntBE(at, 3);
      if (end > this.pending.length) break;
      this.to.write(this.frame(this.pending.subarray(at, end)));
      at = end;
    }
    if (skip > 0) this.to.write(this.pending.subarray(0, skip));
    this.pending = this.pending.subarray(at);
  }

  private frame(frame: Buffer): Buffer {
    if (frame[3] === SETTINGS) this.settings(frame);
    return frame[3] === HEADERS ? this.headers(frame) : frame;
  }

  private settings(frame: Buffer): void {
    if ((frame[4]! & ACK) !== 0) {
      const size = this.announced.shift() ?? null;
      if (size === null) return;
      this.decoder.setMaxTableSize(size);
      this.encoder.setPeerTableSize(size);
      return;
    }
    let size: number | null = null;
    for (let at = FRAME_HEADER; at < frame.length; at += 6) {
      if (frame.readUInt16BE(at) === HEADER_TABLE_SIZE) size = frame.readUInt32BE(at + 2);
    }
    this.back!.announced.push(size);
  }

  private headers(frame: Buffer): Buffer {
    const flags = frame[4]!;
    if ((flags & END_HEADERS) === 0 || (flags & PADDED) !== 0)
      throw new Error("a frame this test does not expect");
    const start = FRAME_HEADER + ((flags & PRIORITY) !== 0 ? 5 : 0);
    const fields: Field[] = [];
    this.decoder.decode(frame, start, frame.length, fields);
    if (this.decoder.malformed) throw new Error("node sent what counts as malformed");
    const block = encode(this.encoder, this.change(fields));
    const header = Buffer.from(frame.subarray(0, FRAME_HEADER));
    header.writeUIntBE(block.length, 0, 3);
    header[4] = flags & ~PRIORITY;
    return Buffer.concat([header, block]);
  }
}

/**
 * A node:http2 client and server, with a relay of our codec between them: what one end's encoder wrote is decoded and
 * encoded by ours before the other end's decoder reads it. `change` sees each list of fields on its way.
 */
export async function connectThroughRelay(
  change: (fields: Field[]) => Field[],
  options: { readonly client: http2.Settings; readonly server: http2.Settings },
): Promise<{ client: http2.ClientHttp2Session; server: http2.Http2Server; close(): Promise<void> }> {
  const [clientEnd, relayFront] = duplexPair();
  const [relayBack, serverEnd] = duplexPair();
  const request = new Lane(relayBack, change);
  const response = new Lane(relayFront, change);
  request.back = response;
  response.back = request;
  let preface = PREFACE_LENGTH;
  relayFront.on("data", (bytes: Buffer) => {
    request.receive(bytes, preface);
    preface = 0;
  });
  relayBack.on("data", (bytes: Buffer) => response.receive(bytes, 0));
  const server = http2.createServer({ settings: options.server });
  server.emit("connection", serverEnd);
  const client = http2.connect("http://relay.test", {
    createConnection: () => clientEnd,
    settings: options.client,
  });
  await once(client, "connect");
  return {
    client,
    server,
    close: async () => {
      client.destroy();
      serverEnd.destroy();
      await once(client, "close");
    },
  };
}
