import { didYouMean } from "./did-you-mean.ts";
import type { Kind } from "./kinds.ts";
import { ValueError } from "./value-error.ts";

const EXECUTION_PACKAGE = "build.bazel.remote.execution.v2";
const CAPABILITIES = `${EXECUTION_PACKAGE}.Capabilities`;

/** The short names of services that belong together on one server. */
export const SERVICE_GROUPS: Readonly<Record<string, readonly string[]>> = {
  cas: [`${EXECUTION_PACKAGE}.ContentAddressableStorage`, "google.bytestream.ByteStream"],
  "action-cache": [`${EXECUTION_PACKAGE}.ActionCache`],
  execution: [`${EXECUTION_PACKAGE}.Execution`, "google.longrunning.Operations"],
  asset: ["build.bazel.remote.asset.v1.Fetch", "build.bazel.remote.asset.v1.Push"],
  "log-stream": ["build.bazel.remote.logstream.v1.LogStreamService"],
};

const SHORT = Object.keys(SERVICE_GROUPS);
const FULL = Object.values(SERVICE_GROUPS).flat();
/** Packages of which every service is known: another one in them is misspelt. */
const KNOWN_PACKAGE =
  /^(build\.bazel\.remote\.(execution|asset|logstream)\.|google\.(bytestream|longrunning)\.)/;

/** What tells the services of one package apart. */
function lastOf(service: string): string {
  return service.slice(service.lastIndexOf(".") + 1);
}

/** Services by short name, or one by its full gRPC name, which may be a vendor's: the full names. */
export const serviceNames: Kind<readonly string[]> = {
  placeholder: "SERVICE",
  schema: { type: "string", minLength: 1 },
  parse(text) {
    if (Object.hasOwn(SERVICE_GROUPS, text)) return SERVICE_GROUPS[text]!;
    if (text === "capabilities" || text === CAPABILITIES) {
      throw new ValueError("cannot be routed: the answers of all upstreams are merged");
    }
    if (FULL.includes(text)) return [text];
    if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(text) && !KNOWN_PACKAGE.test(text)) return [text];
    throw new ValueError(
      `must be one of ${SHORT.join(", ")}, or the full name of a gRPC service`,
      text.includes(".") ? didYouMean(lastOf(text), FULL.map(lastOf)) : didYouMean(text, SHORT),
    );
  },
};
