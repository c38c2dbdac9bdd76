import { announceBatchLimit, saysBatchLimit } from "../announce/batch-limit.ts";
import { announceBlobLimit } from "../announce/blob-limit.ts";
import { announceCompressors } from "../announce/compressors.ts";
import { mayDiffer } from "../declare.ts";
import { BATCH_READ_BLOBS, BATCH_UPDATE_BLOBS } from "../methods.ts";
import { of } from "../names.ts";
import { lacks, type NotBuilt } from "./not-built.ts";

const V2 = "build.bazel.remote.execution.v2";
const BATCH_COMPRESSOR = `${V2}.BatchUpdateBlobsRequest.Request.compressor` as const;

/** Storage and transfer (drift items D17 to D20, P03). */
export const STORAGE: readonly NotBuilt[] = [
  {
    id: "batch-compression",
    title: "Compressed data in batch calls",
    since: "2.3",
    drift: ["D17"],
    why: "An older server takes the compressed bytes for the blob.",
    owns: [
      BATCH_COMPRESSOR,
      ...of("BatchReadBlobsRequest", "acceptable_compressors"),
      ...of("BatchReadBlobsResponse.Response", "compressor"),
      ...of("CacheCapabilities", "supported_batch_update_compressors"),
    ],
    older: ["plain", "data is the blob"],
    newer: ["compressed", "data may be compressed"],
    marker: BATCH_COMPRESSOR,
    clientAhead: {
      kind: "reject",
      code: "compression-unsupported",
      has: "takes plain data only",
      fix: "turn compression off in the client",
      uses: [
        {
          in: "request",
          methods: [BATCH_UPDATE_BLOBS],
          used: {
            what: "Compressed data in BatchUpdateBlobs",
            element: BATCH_COMPRESSOR,
            text: "requests[].compressor",
            path: [2, 3],
          },
        },
      ],
    },
    serverAhead: "a client that offers no compressor gets plain data",
    announce: announceCompressors(7),
    announceIf: mayDiffer,
  },
  {
    id: "batch-limits",
    title: "The size of batches",
    since: "2018-11",
    drift: ["D18", "P03"],
    why: "A batch above the server's limit is refused.",
    owns: of("CacheCapabilities", "max_batch_total_size_bytes"),
    older: ["unsaid", "no limit is announced, or another than the one that holds"],
    newer: ["announced", "the limit is announced"],
    marker: null,
    clientAhead:
      "a limit is announced that the upstream holds; what is larger all the same the upstream refuses",
    serverAhead: "a batch that is too large is refused by the upstream",
    announce: announceBatchLimit,
    announceIf: saysBatchLimit,
  },
  {
    id: "batch-methods",
    title: "Batch methods of the store",
    since: "2018-11",
    drift: ["D20"],
    why: "Clients of small blobs call nothing else.",
    owns: [
      "behaviour:empty-batch",
      ...of("ContentAddressableStorage", "BatchReadBlobs", "BatchUpdateBlobs"),
      ...of("BatchReadBlobsRequest", "instance_name", "digests"),
      ...of("BatchReadBlobsResponse", "responses", "Response.digest", "Response.data", "Response.status"),
      ...of("BatchUpdateBlobsRequest", "instance_name", "requests", "Request.data"),
      ...of("BatchUpdateBlobsResponse", "responses", "Response.status"),
    ],
    older: ["streams", "ByteStream only"],
    newer: ["batches", "BatchReadBlobs and BatchUpdateBlobs"],
    marker: `${V2}.ContentAddressableStorage.BatchReadBlobs`,
    assume: "newer",
    clientAhead: lacks(
      [BATCH_READ_BLOBS, BATCH_UPDATE_BLOBS],
      `${V2}.ContentAddressableStorage.BatchReadBlobs`,
      "A batch method of the store",
      "have the client use ByteStream",
    ),
    serverAhead: "a client without them does not call them",
  },
  {
    id: "blob-size-limit",
    title: "The largest blob",
    since: "2.12",
    drift: ["D19", "P10"],
    why: "Clients send blobs that will be refused.",
    owns: of("CacheCapabilities", "max_cas_blob_size_bytes"),
    older: ["unsaid", "no limit is announced"],
    newer: ["announced", "the limit is announced"],
    marker: `${V2}.CacheCapabilities.max_cas_blob_size_bytes`,
    clientAhead: "an upload that is too large is refused by the upstream",
    serverAhead: "an upload that is too large is refused by the upstream",
    announce: announceBlobLimit,
    announceIf: mayDiffer,
  },
];
