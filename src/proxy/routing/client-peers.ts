/** Which client a call is from: what the operator says, else what the call says of its tool (D05), else nobody knows. */
import type { Field } from "../../http2/hpack/field.ts";
import { internName } from "../../http2/hpack/name.ts";
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
  /** The beginning of a value, up to where its tool ends, which calls of one client share. */
  private lastPrefix = "";

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
    const { value } = field;
    this.lastField = field;
    if (this.lastPrefix !== "" && value.startsWith(this.lastPrefix)) return this.lastPeer;
    const tool = readToolDetails(value);
    // A value that cannot be read must not speak for others that begin like it.
    this.lastPrefix = tool === null ? "" : prefixWithTool(value);
    this.lastPeer = tool === null ? UNKNOWN_CLIENT : this.recognise(tool);
    return this.lastPeer;
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

/**
 * The part of a value that holds nothing but the tool, if it comes first, in whole groups of four characters, and the group that it
 * shares with what follows. Empty where the tool is not at the beginning: every value is read then.
 */
function prefixWithTool(value: string): string {
  const [tag, length] = Buffer.from(value.slice(0, 4), "base64");
  if (tag !== TOOL_TAG || length === undefined || length >= 0x80) return "";
  const characters = Math.ceil((length + 2) / 3) * 4;
  return characters > value.length ? "" : value.slice(0, characters);
}
