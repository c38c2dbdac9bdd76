/** Bridges before servers that are played, for tests of ByteStream. */
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { compressorNamed } from "../../src/compression/compressors.ts";
import { decodeBytes } from "../../src/compression/decode.ts";
import { encodeBytes } from "../../src/compression/encode.ts";
import type { ServerControls } from "../../src/embedded/controls.ts";
import { startEmbedded } from "../../src/embedded/server.ts";
import type { Bridge } from "../../src/index.ts";
import type { ResolvedServer } from "../../src/peers/profile.ts";
import type { Level } from "../../src/spec/versions.ts";
import { bridgeTo, type ConfigParts } from "../support/bridge.ts";
import { eventually } from "../support/eventually.ts";
import { serverLike } from "../support/played-server.ts";
import { type BlobName, type CallFailed, ReapiClient, sha256 } from "../support/reapi-client.ts";

/** Who is played, and who is told to the bridge. */
interface Streams {
  /** A level; or a server, whose profile the bridge is told if it is given by name. */
  readonly server: Level | ResolvedServer | { readonly profile: string };
  /** The profile of the client; nobody knows it by default. */
  readonly client?: string;
  readonly config?: ConfigParts;
}

/** A server, a client of it, and clients of two bridges before it that share nothing. */
export interface Streaming {
  readonly direct: ReapiClient;
  readonly bridged: ReapiClient;
  readonly other: ReapiClient;
  readonly bridges: readonly (Bridge & { readonly address: string })[];
  readonly controls: ServerControls;
}

/** Starts all of it, gone when the test is over. */
export async function streaming(
  t: TestContext,
  { server, client, config = {} }: Streams,
): Promise<Streaming> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const told = typeof server !== "string" && "profile" in server ? server.profile : null;
  const role =
    typeof server === "string"
      ? { level: server }
      : { as: "profile" in server ? serverLike(server.profile, {}) : server };
  const played = await startEmbedded({ ...role, listen, dir: null });
  t.after(() => played.stop());
  const parts: ConfigParts = {
    ...(told !== null && { upstream: { profile: told } }),
    ...(client !== undefined && { clientProfile: client }),
    ...config,
  };
  const bridges = [await bridgeTo(t, played.address, parts), await bridgeTo(t, played.address, parts)];
  const [bridged, other] = bridges.map(({ address }) => new ReapiClient(t, address));
  const direct = new ReapiClient(t, played.address);
  return { direct, bridged: bridged!, other: other!, bridges, controls: played.controls };
}

/** A blob with the names of its streams. */
export class StreamedBlob {
  readonly bytes: Buffer;
  readonly digest: BlobName;
  readonly id = randomUUID();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.digest = sha256(bytes);
  }

  /** The name to read it, plain or as a compressor makes it. */
  read(compressor: Name | null = null): string {
    const kind = compressor === null ? "blobs" : `compressed-blobs/${compressorNamed(compressor).segment}`;
    return `${kind}/${this.digest.hash}/${this.digest.sizeBytes}`;
  }

  /** The name to write it, always with the same id. */
  write(compressor: Name | null = null): string {
    return `uploads/${this.id}/${this.read(compressor)}`;
  }

  packed(compressor: Name, from = 0): Promise<Buffer> {
    return encodeBytes(compressorNamed(compressor), this.bytes.subarray(from));
  }
}

/** A compressor, by its name in the API. */
export type Name = "ZSTD" | "DEFLATE" | "BROTLI";

export const NAMES: readonly Name[] = ["ZSTD", "DEFLATE", "BROTLI"];

export function unpacked(compressor: Name, bytes: Buffer, most: number): Promise<Buffer> {
  return decodeBytes(compressorNamed(compressor), bytes, most);
}

/** Bytes in parts of a length. */
export function inParts(bytes: Buffer, length: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += length) parts.push(bytes.subarray(at, at + length));
  return parts;
}

/** Waits until a bridge has no call open and holds no more than what its connections may be sent. */
export async function quiet(bridge: Bridge): Promise<void> {
  await eventually(async () => {
    const { client, upstream, bridge: own } = await bridge.metrics();
    return client.streams === 0 && upstream.streams === 0 && own.queued === 0 && own.budgetHeld < 1 << 20;
  }, "no call is open");
}

/** What the bridge says of one of its refusals. */
export function errorFact({ errorInfo }: CallFailed, fact: string): string | undefined {
  return errorInfo?.metadata[fact];
}
