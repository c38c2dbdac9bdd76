import { assumed, byLevel, pass } from "../declare.ts";
import { FETCH_BLOB, FETCH_DIRECTORY, PUSH_BLOB, PUSH_DIRECTORY } from "../methods.ts";
import { ids } from "../names.ts";
import type { Reject, Translator } from "../translator.ts";

const ASSET = "build.bazel.remote.asset.v1";
const FETCH = `${ASSET}.Fetch.FetchBlob` as const;

const ABSENT: Reject = {
  kind: "reject",
  code: "method-unsupported",
  has: "does not have it",
  fix: "name a server that has it in the client, or turn it off there",
  uses: [
    {
      in: "call",
      methods: [FETCH_BLOB, FETCH_DIRECTORY, PUSH_BLOB, PUSH_DIRECTORY],
      used: { what: "The Remote Asset API", element: FETCH, text: null },
    },
  ],
};

/**
 * The Remote Asset API (D54). An upstream without it makes every call UNIMPLEMENTED, also those that only try whether it is there: BuildStream asks with
 * a request without URIs, takes INVALID_ARGUMENT for a service that works and UNIMPLEMENTED for none (ecosystem rule 2). So nothing is answered in place of
 * an upstream that has a method, and of one that has some of the four each of the others is refused by itself, as every method that is known to be missing.
 */
export const assetService: Translator = {
  feature: {
    id: "asset-service",
    title: "The Remote Asset API",
    since: "2.2",
    drift: ["D54"],
    why: "Clients that fetch and push assets have nowhere to go.",
    forms: {
      absent: "the server has none of the methods",
      offered: "Fetch and Push, or some methods of them",
    },
  },
  owns: [
    ...ids(`${ASSET}.Fetch`, ["FetchBlob", "FetchDirectory"]),
    ...ids(`${ASSET}.Push`, ["PushBlob", "PushDirectory"]),
    ...["FetchBlobRequest", "FetchDirectoryRequest"].flatMap((message) =>
      ids(`${ASSET}.${message}`, [
        "instance_name",
        "timeout",
        "oldest_content_accepted",
        "uris",
        "qualifiers",
      ]),
    ),
    ...ids(`${ASSET}.FetchBlobResponse`, ["uri", "qualifiers", "expires_at", "blob_digest"]),
    ...ids(`${ASSET}.FetchDirectoryResponse`, ["uri", "qualifiers", "expires_at", "root_directory_digest"]),
    ...["PushBlobRequest", "PushDirectoryRequest"].flatMap((message) =>
      ids(`${ASSET}.${message}`, [
        "instance_name",
        "uris",
        "qualifiers",
        "expire_at",
        "references_blobs",
        "references_directories",
      ]),
    ),
    `${ASSET}.PushBlobRequest.blob_digest`,
    `${ASSET}.PushDirectoryRequest.root_directory_digest`,
  ],
  after: [],
  clientAhead:
    "refused where the server is known to lack it; else the server itself answers, also calls without URIs",
  serverAhead: "passes: a client without it does not call it",
  support: byLevel({
    element: FETCH,
    without: { reads: ["absent"], writes: ["absent"] },
    with: { reads: ["offered", "absent"], writes: ["offered", "absent"] },
  }),
  assume: {
    client: assumed(["offered", "absent"], ["offered", "absent"]),
    server: assumed(["absent"], ["absent"]),
  },
  toServer: {
    offered: { absent: ABSENT },
    absent: { offered: pass("a client without it does not call it") },
  },
  toClient: pass("answers come to calls that were served"),
};
