/** Fetch and Push of the Remote Asset API, for servers that have them: they remember what was pushed, and fetch nothing (D54–D57). */

import { enums } from "../../spec/generated/enums.ts";
import type { Messages } from "../../spec/generated/messages.ts";
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { badRequestDetail } from "../../wire/error-details.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import { digestMessage } from "../digests.ts";
import type { Answer, Methods } from "../rpc/methods.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import type { ServiceParts } from "./service-parts.ts";

type Asset<Name extends string> = Messages[Extract<`build.bazel.remote.asset.v1.${Name}`, keyof Messages>];
/** What says of which asset a request speaks. */
type AssetName = Pick<Asset<"FetchBlobRequest">, "instanceName" | "uris" | "qualifiers">;

const CHECKSUM = "checksum.sri";
const FUNCTION = "build.bazel.remote.asset.v1.FetchBlobRequest.digest_function";
const PACKAGE = "/build.bazel.remote.asset.v1";

/** Registers both services, as far as the server has their methods. */
export function registerAssets(methods: Methods, parts: ServiceParts): void {
  const pushed = new Map<string, BlobDigest>();
  methods.unary<Asset<"FetchBlobRequest">, Asset<"FetchBlobResponse">>(
    `${PACKAGE}.Fetch/FetchBlob`,
    async (request): Promise<Answer<Asset<"FetchBlobResponse">>> => {
      const { digest, ...found } = find(parts, pushed, "blob", request);
      return { ...found, blobDigest: digest && digestMessage(digest) };
    },
  );
  methods.unary<Asset<"FetchDirectoryRequest">, Asset<"FetchDirectoryResponse">>(
    `${PACKAGE}.Fetch/FetchDirectory`,
    async (request): Promise<Answer<Asset<"FetchDirectoryResponse">>> => {
      const { digest, ...found } = find(parts, pushed, "directory", request);
      return { ...found, rootDirectoryDigest: digest && digestMessage(digest) };
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
  asset: AssetName & { readonly digestFunction: number },
) {
  const { withoutUris, refusesQualifiers } = behaviour.assets;
  if (asset.uris.length === 0) {
    const { code, text } = behaviour.signs.get("fetch-without-uris") ?? { code: withoutUris, text: null };
    if (code !== Status.OK) throw new CallError(code, text ?? "the request has no URIs");
  }
  const unknown = asset.qualifiers.filter(({ name }) => name !== CHECKSUM);
  if (unknown.length > 0 && refusesQualifiers) throw notSupported(unknown.map(({ name }) => name));
  const { level } = behaviour;
  // Without a function SHA-256 is meant; a server from before the field has what was pushed.
  const wanted = knows(level, FUNCTION) ? asset.digestFunction || enums.DigestFunction.SHA256 : null;
  for (const [uri, key] of keysOf(kind, asset, level)) {
    const digest = pushed.get(key);
    const number = digest?.digestFunction.number;
    if (digest !== undefined && (wanted === null || wanted === number))
      return { uri, digest, digestFunction: number!, status: { code: Status.OK } };
  }
  const message = "nobody has pushed this asset, and this server fetches nothing by itself";
  return {
    uri: asset.uris[0] ?? "",
    digest: null,
    digestFunction: 0,
    status: { code: Status.NOT_FOUND, message },
  };
}

function notSupported(names: readonly string[]): CallError {
  const quoted = names.map((name) => `"${name}"`);
  const violations = quoted.map((name) => ({
    field: "qualifiers.name",
    description: `${name} not supported`,
  }));
  const message = `this server does not know the qualifier ${quoted.join(", ")}`;
  return new CallError(Status.INVALID_ARGUMENT, message, [badRequestDetail(violations)]);
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
  for (const [, key] of keysOf(kind, asset, behaviour.level)) pushed.set(key, read);
}

/** An asset is what has the same address, and the same of everything that is asked of it: of several checksums any one. */
function keysOf(
  kind: string,
  { instanceName, uris, qualifiers }: AssetName,
  level: Level,
): [uri: string, key: string][] {
  const others = qualifiers.filter(({ name }) => name !== CHECKSUM).map(({ name, value }) => [name, value]);
  const said = qualifiers.filter(({ name }) => name === CHECKSUM).map(({ value }) => value);
  const several = knows(level, "behaviour:several-checksums");
  const checksums = several ? said.flatMap((value) => value.split(/\s+/)) : said;
  const any = checksums.length === 0 ? [null] : checksums;
  return uris.flatMap((uri) =>
    any.map((checksum): [string, string] => [
      uri,
      JSON.stringify([kind, instanceName, uri, others.sort(), checksum]),
    ]),
  );
}
