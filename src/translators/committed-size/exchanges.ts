/** Uploads whose report is not what the client takes (D16). */
import { UpstreamError } from "../../upstream/upstream-error.ts";
import {
  readCommittedSize,
  resourceNameIn,
  writeWriteResponse,
  writeWriteStatus,
} from "../../wire/byte-stream.ts";
import { parseResourceName } from "../../wire/resource-name.ts";
import { Status } from "../../wire/status.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import { compressedName } from "../blob-names.ts";
import type { Call, Forward, Pair } from "../translator.ts";
import { type Count, takenBy } from "./counts.ts";
import { reportFor } from "./report.ts";
import { Upload } from "./upload.ts";

/**
 * Forwards an upload as it is, counts what was sent, and answers with the count that the client takes. That the upstream has the blob already is no error, in
 * whatever way it says so.
 */
export async function* reportUpload(
  requests: AsyncIterable<Buffer>,
  _call: Call,
  { client }: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  const upload = new Upload(requests);
  let name = "";
  const counted = async function* (): AsyncGenerator<Buffer> {
    for (let next = await upload.next(); next !== null; next = await upload.next()) {
      if (name === "") name = next.request.resourceName;
      yield next.message;
    }
  };
  try {
    for await (const response of forward(counted())) {
      const packed = compressedName(name);
      const isPart = upload.ended && !upload.finished;
      const committed = readCommittedSize(response);
      const counts = packed === null || isPart ? [] : countsOf(committed, upload, packed.digest.sizeBytes);
      if (packed === null || counts.length === 0 || counts.some((count) => takenBy(client).includes(count)))
        yield [response];
      else yield await reportFor(client, upload, packed.digest.sizeBytes, !upload.finished);
    }
  } catch (error) {
    const blob = parseResourceName(name);
    if (!(error instanceof UpstreamError) || error.code !== Status.ALREADY_EXISTS || blob === null)
      throw error;
    const { sizeBytes } = blob.digest;
    yield blob.compressor === null
      ? writeWriteResponse(sizeBytes)
      : await reportFor(client, upload, sizeBytes, !upload.finished);
  }
}

/** The counts that a number may be; none if it is no report of a whole upload. */
function countsOf(committed: number, { end }: Upload, sizeBytes: number): Count[] {
  const numbers = { sent: end, blob: sizeBytes, "minus-one": -1 } as const;
  return (Object.keys(numbers) as Count[]).filter((count) => numbers[count] === committed);
}

/** Answers that a compressed upload which is complete has the size of the blob, whatever the upstream counts. */
export async function* reportStatus(
  requests: AsyncIterable<Buffer>,
  _call: Call,
  _pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  for await (const request of requests) {
    const name = compressedName(resourceNameIn(request) ?? "");
    for await (const response of forward([request]))
      yield name !== null && isComplete(response)
        ? writeWriteStatus(name.digest.sizeBytes, true)
        : [response];
  }
}

function isComplete(status: Buffer): boolean {
  const field = new Walker(status);
  let complete = false;
  while (field.next()) if (field.number === 2 && field.wireType === WireType.VARINT) complete = field.bool();
  return complete;
}
