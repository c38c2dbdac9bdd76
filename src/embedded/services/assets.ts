/** Fetch and Push of the Remote Asset API, for servers that have them: they remember what was pushed, and fetch nothing (D54–D57). */

import type { Messages } from "../../spec/generated/messages.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import { digestMessage } from "../digests.ts";
import type { Answer, Methods } from "../rpc/methods.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import type { ServiceParts } from "./service-parts.ts";

type Asset<Name extends string> = Messages[Extract<`build.bazel.remote.asset.v1.${Name}`, keyof Messages>];
/** What says of which asset a request speaks. */
type AssetName = Pick<Asset<"FetchBlobRequest">, "instanceName" | "uris" | "qualifiers">;

const PACKAGE = "/build.bazel.remote.asset.v1";

/** Registers both services, as far as the server has their methods. */
export function registerAssets(methods: Methods, parts: ServiceParts): void {
  const pushed = new Map<string, BlobDigest>();
  methods.unary<Asset<"FetchBlobRequest">, Asset<"FetchBlobResponse">>(
    `${PACKAGE}.Fetch/FetchBlob`,
    async (request): Promise<Answer<Asset<"FetchBlobResponse">>> => {
      const { uri, digest, status } = find(parts, pushed, "blob", request);
      return { uri, status, blobDigest: digest && digestMessage(digest) };
    },
  );
  methods.unary<Asset<"FetchDirectoryRequest">, Asset<"FetchDirectoryResponse">>(
    `${PACKAGE}.Fetch/FetchDirectory`,
    async (request): Promise<Answer<Asset<"FetchDirectoryResponse">>> => {
      const { uri, digest, status } = find(parts, pushed, "directory", request);
      return { uri, status, rootDirectoryDigest: digest && digestMessage(digest) };
    },
  );
  methods.unary<Asset<"PushBlobRequest">, Asset<"PushBlobResponse">>(
    `${PACKAGE}.Push/PushBlob`,
    async (request) => {
      keep(parts, pushed, "blob", request, request.blobDigest);
      return {};
    },
  );
  methods.unary<Asset<"PushDirectoryRequest">, Asset<"PushDirectoryResponse">>(
    `${PACKAGE}.Push/PushDirectory`,
    async (request) => {
      keep(parts, pushed, "directory", request, request.rootDirectoryDigest);
      return {};
    },
  );
}

function find(
  { behaviour }: ServiceParts,
  pushed: ReadonlyMap<string, BlobDigest>,
  kind: string,
  asset: AssetName,
) {
  const { withoutUris, refusesQualifiers } = behaviour.assets;
  if (asset.uris.length === 0) {
    const { code, text } = behaviour.signs.get("fetch-without-uris") ?? { code: withoutUris, text: null };
    if (code !== Status.OK) throw new CallError(code, text ?? "the request has no URIs");
  }
  const unknown = asset.qualifiers.find(({ name }) => name !== "checksum.sri");
  if (unknown !== undefined && refusesQualifiers) {
    throw new CallError(Status.INVALID_ARGUMENT, `this server does not know the qualifier "${unknown.name}"`);
  }
  for (const [uri, key] of keysOf(kind, asset)) {
    const digest = pushed.get(key);
    if (digest !== undefined) return { uri, digest, status: { code: Status.OK } };
  }
  const message = "nobody has pushed this asset, and this server fetches nothing by itself";
  return { uri: asset.uris[0] ?? "", digest: null, status: { code: Status.NOT_FOUND, message } };
}

function keep(
  { behaviour, digests }: ServiceParts,
  pushed: Map<string, BlobDigest>,
  kind: string,
  asset: AssetName & { readonly digestFunction: number },
  digest: Asset<"PushBlobRequest">["blobDigest"],
): void {
  if (!behaviour.assets.pushes)
    throw new CallError(Status.PERMISSION_DENIED, "nobody may push to this server");
  if (asset.uris.length === 0) throw new CallError(Status.INVALID_ARGUMENT, "the request has no URIs");
  const read = digests.read(digest, asset.digestFunction, `${kind}_digest`);
  for (const [, key] of keysOf(kind, asset)) pushed.set(key, read);
}

function keysOf(kind: string, { instanceName, uris, qualifiers }: AssetName): [uri: string, key: string][] {
  const pairs = qualifiers.map(({ name, value }) => [name, value]).sort();
  return uris.map((uri) => [uri, JSON.stringify([kind, instanceName, uri, pairs])]);
}
