/** A server that is played, directly and through a bridge that knows its profile. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { ServerControls } from "../../src/embedded/controls.ts";
import type { Bridge } from "../../src/index.ts";
import type { ResolvedServer } from "../../src/peers/profile.ts";
import { bridgeTo, type ConfigParts } from "../support/bridge.ts";
import { eventually } from "../support/eventually.ts";
import { playing } from "../support/played-server.ts";
import { type BlobName, ReapiClient, sha256, type V2Message } from "../support/reapi-client.ts";

/** Both ways to one server. */
export interface BothWays {
  readonly direct: ReapiClient;
  readonly bridged: ReapiClient;
  readonly bridge: Bridge & { readonly address: string };
  readonly controls: ServerControls;
}

/** Starts the server of a profile, or one given that is bridged as `profile` says, and asks for its capabilities once. */
export async function bothWays(
  t: TestContext,
  server: string | ResolvedServer,
  parts: ConfigParts = {},
): Promise<BothWays> {
  const { client: direct, address, controls } = await playing(t, server);
  const profile = typeof server === "string" ? { profile: server } : {};
  const bridge = await bridgeTo(t, address, { ...parts, upstream: { ...profile, ...parts.upstream } });
  const bridged = new ReapiClient(t, bridge.address);
  await bridged.unary("Capabilities/GetCapabilities", {}).catch(() => {});
  return { direct, bridged, bridge, controls };
}

/** Blobs that differ, of these sizes. */
export function blobsOf(...sizes: readonly number[]): Buffer[] {
  return sizes.map((size, at) => Buffer.alloc(size, `blob ${at} of ${size}; `));
}

/** The codes of a BatchUpdateBlobs, in the order of the answer, by the names of the blobs. */
export async function update(
  client: ReapiClient,
  blobs: readonly Buffer[],
  digestOf: (data: Buffer, at: number) => BlobName = sha256,
): Promise<[hash: string, code: number][]> {
  const requests = blobs.map((data, at) => ({ digest: digestOf(data, at), data }));
  const { responses } = await client.unary<V2Message<"BatchUpdateBlobsResponse">>(
    "ContentAddressableStorage/BatchUpdateBlobs",
    { requests },
  );
  return responses.map(({ digest, status }) => [digest?.hash ?? "", status?.code ?? 0]);
}

/** The entries of a BatchReadBlobs, in the order of the answer. */
export async function read(
  client: ReapiClient,
  digests: readonly BlobName[],
): Promise<V2Message<"BatchReadBlobsResponse">["responses"]> {
  const { responses } = await client.unary<V2Message<"BatchReadBlobsResponse">>(
    "ContentAddressableStorage/BatchReadBlobs",
    { digests },
  );
  return responses;
}

/** Waits until no call is under way and nothing is held but what every connection holds. */
export async function atRest({ bridge }: Pick<BothWays, "bridge">): Promise<void> {
  await eventually(async () => {
    const { client, upstream } = await bridge.metrics();
    return client.streams + upstream.streams === 0;
  }, "no stream is open");
}

/** The lanes in which calls of a method went. */
export async function lanesOf({ bridge }: BothWays, method: string): Promise<string[]> {
  const { calls } = await bridge.metrics();
  return calls.flatMap(({ method: path, lane, codes }) =>
    path.endsWith(`/${method}`) && codes.some((count) => count > 0) ? [lane] : [],
  );
}

/** Holds that two lists of digests name the same blobs. */
export function sameBlobs(found: readonly { readonly hash: string }[], expected: readonly BlobName[]): void {
  assert.deepEqual(
    found.map(({ hash }) => hash),
    expected.map(({ hash }) => hash),
  );
}
