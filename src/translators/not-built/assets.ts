import { FETCH_BLOB, FETCH_DIRECTORY } from "../methods.ts";
import { ids } from "../names.ts";
import type { NotBuilt } from "./not-built.ts";

const ASSET = "build.bazel.remote.asset.v1";

/** What differs within the Remote Asset API (drift items D55 to D57). */
export const ASSETS: readonly NotBuilt[] = [
  {
    id: "asset-digest-function",
    title: "The digest function of assets",
    since: "2.10",
    drift: ["D55"],
    why: "An older server answers with a SHA-256 digest, whatever function was asked for.",
    owns: [
      "behaviour:asset-digest-default",
      ...["FetchBlobRequest", "FetchBlobResponse", "FetchDirectoryRequest", "FetchDirectoryResponse"].flatMap(
        (message) => ids(`${ASSET}.${message}`, ["digest_function"]),
      ),
      ...["PushBlobRequest", "PushDirectoryRequest"].flatMap((message) =>
        ids(`${ASSET}.${message}`, ["digest_function"]),
      ),
    ],
    older: ["unsaid", "assets are fetched with SHA-256"],
    newer: ["stated", "requests and replies name the function"],
    marker: `${ASSET}.FetchBlobRequest.digest_function`,
    clientAhead: {
      kind: "reject",
      code: "digest-function-unsupported",
      has: "fetches with SHA-256 only",
      fix: "fetch with SHA-256",
      uses: [
        {
          in: "request",
          methods: [FETCH_BLOB, FETCH_DIRECTORY],
          used: {
            what: "Another digest function than SHA-256 for an asset",
            element: `${ASSET}.FetchBlobRequest.digest_function`,
            text: "digest_function",
            path: [6],
            holds: (payload) => payload.length > 1 || payload[0]! > 1,
          },
        },
      ],
    },
    serverAhead: "without the field a fetch means SHA-256, as it always did",
  },
  {
    id: "asset-errors",
    title: "Errors inside of asset replies",
    since: "2.5",
    drift: ["D56", "P12"],
    why: "A status may stand in the reply in place of the call's own.",
    owns: [
      "behaviour:asset-exhausted",
      "behaviour:asset-qualifier-error",
      ...ids(`${ASSET}.Qualifier`, ["name", "value"]),
      `${ASSET}.FetchBlobResponse.status`,
      `${ASSET}.FetchDirectoryResponse.status`,
    ],
    older: ["few", "the codes of 2.2"],
    newer: ["more", "also RESOURCE_EXHAUSTED"],
    marker: "behaviour:asset-exhausted",
    clientAhead: "an error stays an error",
    serverAhead: "an error stays an error",
  },
  {
    id: "asset-checksums",
    title: "Several checksums of one asset",
    since: "2.12",
    drift: ["D57"],
    why: "An older server takes a list of checksums for one.",
    owns: ["behaviour:several-checksums"],
    older: ["one", "checksum.sri holds one checksum"],
    newer: ["several", "checksum.sri holds any number"],
    marker: "behaviour:several-checksums",
    clientAhead: "a checksum that does not match is an error of the fetch, and never a wrong asset",
    serverAhead: "a list of one is a list",
  },
];
