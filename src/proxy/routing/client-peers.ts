/** Which client a call is from: what the operator says, else what the call says of its tool (D05), else nobody knows. */
import type { Field } from "../../http2/hpack/field.ts";
import { internName } from "../../http2/hpack/name.ts";
import { rawBytes } from "../../http2/hpack/string-literal.ts";
import type { ResolvedClient } from "../../peers/profile.ts";
import type { ProfileCatalogue } from "../../peers/profile-catalogue.ts";
import { recogniseClient } from "../../peers/recognise-client.ts";
import type { KnownClient } from "../../plan/known-client.ts";
import { readToolDetails, type ToolDetails } from "../../wire/request-metadata.ts";

const REQUEST_METADATA = internName("build.bazel.remote.execution.v2.requestmetadata-bin");
/** Tools and versions that are remembered; more than one bridge ever meets. */
const MOST_TOOLS = 1024;

/** A client by what it is: the same object for the same lines. */
export interface ClientPeer {
  readonly lines: KnownClient;
}

/** The client of all calls that nothing is known of. */
export const UNKNOWN_CLIENT: ClientPeer = { lines: [] };

/** Recognises clients by the header of their calls. */
export class ClientPeers {
  private readonly catalogue: ProfileCatalogue;
  private readonly tools = new Map<string, ClientPeer>();
  private readonly byLines = new Map<string, ClientPeer>();
  /** The header that was read last: a field that comes again is the same object. */
  private lastField: Field | null = null;
  private lastPeer = UNKNOWN_CLIENT;
  /** Its first bytes as they travel, which tell the client: calls of one client share them, whatever action they are for. */
  private lastStart: Buffer = Buffer.alloc(0);
  private lastHuffman = false;

  constructor(catalogue: ProfileCatalogue) {
    this.catalogue = catalogue;
  }

  /** The client that a profile names. */
  of(line: ResolvedClient): ClientPeer {
    return this.known([line]);
  }

  /** The client of a call with these fields. */
  in(fields: readonly Field[]): ClientPeer {
    for (const field of fields) if (field.name === REQUEST_METADATA) return this.read(field);
    return UNKNOWN_CLIENT;
  }

  private read(field: Field): ClientPeer {
    if (field === this.lastField) return this.lastPeer;
    if (this.startsAsLast(field)) return this.lastPeer;
    this.lastField = field;
    const { value, huffman } = field;
    const telling = telltale(value);
    this.lastHuffman = huffman;
    const tool = telling.length > UNTOLD ? readToolDetails(value) : null;
    this.lastPeer = tool === null ? UNKNOWN_CLIENT : this.recognise(tool);
    // A value that breaks behind its beginning must not speak for those that do not.
    const speaks = tool !== null || telling.length <= UNTOLD;
    const start = rawBytes(speaks ? telling : "", huffman);
    // The last byte of the Huffman form is padded.
    this.lastStart = huffman ? start.subarray(0, -1) : start;
    return this.lastPeer;
  }

  private startsAsLast({ buffer, start, end, huffman }: Field): boolean {
    const { lastStart } = this;
    const { length } = lastStart;
    if (length === 0 || huffman !== this.lastHuffman || end - start < length) return false;
    // For so few bytes faster than asking the buffer to compare. Values differ near the end, if at all.
    for (let i = length - 1; i >= 0; i--) if (buffer[start + i] !== lastStart[i]) return false;
    return true;
  }

  private recognise(tool: ToolDetails): ClientPeer {
    const key = `${tool.name}\0${tool.version}`;
    let peer = this.tools.get(key);
    if (peer === undefined) {
      peer = this.known(recogniseClient(this.catalogue, tool.name, tool.version));
      if (this.tools.size >= MOST_TOOLS) this.tools.clear();
      this.tools.set(key, peer);
    }
    return peer;
  }

  private known(lines: readonly ResolvedClient[]): ClientPeer {
    if (lines.length === 0) return UNKNOWN_CLIENT;
    const key = lines.map(({ name }) => name).join();
    let peer = this.byLines.get(key);
    if (peer === undefined) {
      peer = { lines };
      this.byLines.set(key, peer);
    }
    return peer;
  }
}

const TOOL_TAG = 0x0a;
/** The first character of base64 of a message that begins with the tool: clients from before 2.0 encode twice (D05). */
const TOOL_TAG_TWICE = 0x43;
/** Characters that tell that a value does not begin with the tool, as one does that is no message. */
const UNTOLD = 4;

/**
 * The beginning of a value that tells the client: all of the tool, which every known client writes first, and a group of four characters more, so
 * that what is compared ends behind it. Where there is no tool, what tells that.
 */
function telltale(value: string): string {
  const [tag, length = 0x80] = Buffer.from(value.slice(0, UNTOLD), "base64");
  if (tag === TOOL_TAG && length < 0x80) return value.slice(0, Math.ceil((length + 2) / 3) * 4 + 4);
  return tag === TOOL_TAG_TWICE || tag === TOOL_TAG ? value : value.slice(0, UNTOLD);
}
