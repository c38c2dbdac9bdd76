import { codec, type Draft, type MessageName } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { methodAt } from "../../src/spec/methods.ts";
import {
  BATCH_READ_BLOBS,
  BATCH_UPDATE_BLOBS,
  EXECUTE,
  FIND_MISSING_BLOBS,
  GET_ACTION_RESULT,
  GET_TREE,
  QUERY_WRITE_STATUS,
  READ,
  UPDATE_ACTION_RESULT,
  WRITE,
} from "../../src/translators/methods.ts";
import { MemoryUpstream } from "../support/memory-upstream.ts";

const V2 = "build.bazel.remote.execution.v2";
const DIGEST = { hash: "0123456789abcdef".repeat(4), sizeBytes: 3n };
const NAME = `blobs/${DIGEST.hash}/3`;

/** A store with an Action, its Command and an input tree that use nothing but what all levels have. */
export function commonStore(): { upstream: MemoryUpstream; action: { hash: string; sizeBytes: bigint } } {
  const upstream = new MemoryUpstream();
  const put = (bytes: Buffer) => {
    const { hash, sizeBytes } = upstream.put(bytes);
    return { hash, sizeBytes: BigInt(sizeBytes) };
  };
  const below = put(
    codec().encode(`${V2}.Directory`, { files: [{ name: "a", digest: DIGEST, isExecutable: true }] }),
  );
  const root = put(codec().encode(`${V2}.Directory`, { directories: [{ name: "d", digest: below }] }));
  const command = put(codec().encode(`${V2}.Command`, { arguments: ["/bin/true"] }));
  const action = put(codec().encode(`${V2}.Action`, { commandDigest: command, inputRootDigest: root }));
  return { upstream, action };
}

/** A request as the oldest client would write it, by method: nothing in it is anything but common to all levels. */
export const COMMON_REQUESTS: ReadonlyMap<string, Buffer> = new Map([
  request(EXECUTE, "ExecuteRequest", { actionDigest: commonStore().action, skipCacheLookup: true }),
  request(GET_ACTION_RESULT, "GetActionResultRequest", { actionDigest: DIGEST }),
  request(UPDATE_ACTION_RESULT, "UpdateActionResultRequest", {
    actionDigest: DIGEST,
    actionResult: { outputFiles: [{ path: "a", digest: DIGEST }], stdoutDigest: DIGEST },
  }),
  request(FIND_MISSING_BLOBS, "FindMissingBlobsRequest", {
    instanceName: "main",
    blobDigests: [DIGEST, DIGEST],
  }),
  request(BATCH_UPDATE_BLOBS, "BatchUpdateBlobsRequest", {
    requests: [{ digest: DIGEST, data: Buffer.from("abc") }],
  }),
  request(BATCH_READ_BLOBS, "BatchReadBlobsRequest", { digests: [DIGEST] }),
  request(GET_TREE, "GetTreeRequest", { rootDigest: DIGEST, pageSize: 10 }),
  [READ, codec().encode("google.bytestream.ReadRequest", { resourceName: NAME })],
  [
    WRITE,
    codec().encode("google.bytestream.WriteRequest", {
      resourceName: `uploads/1/${NAME}`,
      finishWrite: true,
    }),
  ],
  [
    QUERY_WRITE_STATUS,
    codec().encode("google.bytestream.QueryWriteStatusRequest", { resourceName: `uploads/1/${NAME}` }),
  ],
]);

type Short = keyof {
  [Name in MessageName as Name extends `build.bazel.remote.execution.v2.${infer Last}` ? Last : never]: 1;
};

function request<Name extends Short>(
  path: string,
  name: Name,
  draft: Draft<Messages[`build.bazel.remote.execution.v2.${Name}`]>,
): [string, Buffer] {
  const full = `build.bazel.remote.execution.v2.${name}` as const;
  if (methodAt(path)?.request !== full) throw new Error(`${path} does not take a ${full}`);
  return [path, codec().encode(full, draft)];
}
