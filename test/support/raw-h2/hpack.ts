import { huffmanDecode } from "./huffman.ts";

/** The static table (RFC 7541 appendix A) as `name` or `name=value`, in order. */
const STATIC = (
  ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|" +
  ":status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|" +
  "accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|" +
  "content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|" +
  "cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|" +
  "last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|" +
  "server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate"
)
  .split("|")
  .map((entry): Header => {
    const split = entry.indexOf("=");
    return split < 0 ? [entry, ""] : [entry.slice(0, split), entry.slice(split + 1)];
  });

/** A header as name and value; values are latin-1, one character a byte. */
export type Header = [name: string, value: string];

/** An integer with an N-bit prefix (RFC 7541 section 5.1), or-ed into `first`. */
export function encodeInteger(first: number, prefixBits: number, value: number): Buffer {
  const max = 2 ** prefixBits - 1;
  if (value < max) return Buffer.of(first | value);
  const bytes = [first | max];
  let rest = value - max;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A header block of literals without indexing and without Huffman: stateless, and any name or value can be written, legal or not. */
export function encodeHeaders(headers: Iterable<readonly [string, string]>, first = 0x00): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of headers) parts.push(Buffer.of(first), encodeText(name), encodeText(value));
  return Buffer.concat(parts);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([encodeInteger(0, 7, bytes.length), bytes]);
}

/** Decodes the header blocks of one connection in order (RFC 7541). Throws on anything malformed. */
export class HpackDecoder {
  private readonly dynamic: Header[] = [];
  private used = 0;
  private limit = 4096;
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;

  /** Decodes one complete block. */
  decode(block: Buffer): Header[] {
    this.bytes = block;
    this.at = 0;
    const headers: Header[] = [];
    while (this.at < block.length) {
      const first = block[this.at]!;
      if (first >= 0x80) headers.push(this.lookUp(this.integer(7)));
      else if (first >= 0x40) headers.push(this.insert(this.literal(6)));
      else if (first >= 0x20) this.resize(this.integer(5));
      else headers.push(this.literal(4));
    }
    return headers;
  }

  private literal(prefixBits: number): Header {
    const index = this.integer(prefixBits);
    const name = index === 0 ? this.text() : this.lookUp(index)[0];
    return [name, this.text()];
  }

  private insert(header: Header): Header {
    this.dynamic.unshift(header);
    this.used += size(header);
    this.evict();
    return header;
  }

  private resize(limit: number): void {
    if (limit > 4096) throw new Error(`table size update to ${limit}`);
    this.limit = limit;
    this.evict();
  }

  private evict(): void {
    while (this.used > this.limit) this.used -= size(this.dynamic.pop()!);
  }

  private lookUp(index: number): Header {
    const header = index <= STATIC.length ? STATIC[index - 1] : this.dynamic[index - STATIC.length - 1];
    if (header === undefined) throw new Error(`no table entry ${index}`);
    return header;
  }

  private text(): string {
    const coded = (this.bytes[this.at] ?? 0) >= 0x80;
    const length = this.integer(7);
    const end = this.at + length;
    if (end > this.bytes.length) throw new Error("string beyond the end of the block");
    const raw = this.bytes.subarray(this.at, end);
    this.at = end;
    return (coded ? huffmanDecode(raw) : raw).toString("latin1");
  }

  private integer(prefixBits: number): number {
    const max = 2 ** prefixBits - 1;
    let value = this.byte() & max;
    if (value < max) return value;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error("block ends inside an integer");
    return byte;
  }
}

function size([name, value]: Header): number {
  return name.length + value.length + 32;
}
