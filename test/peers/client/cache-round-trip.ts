/** What a client does with a cache alone: blobs and results up, and down again. */
import { blobOf } from "../../../src/client/blob.ts";
import { CallFailed } from "../../../src/client/call-failed.ts";
import type { RemoteClient } from "../../../src/client/remote-client.ts";
import { sampleOf } from "../../../src/client/samples.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { Forms } from "./forms.ts";

/** What came back. */
export interface RoundTrip {
  /** Whether a blob came back to the byte; null if the client did not get that far. */
  readonly blob: boolean | null;
  /** Whether a result came back, as far as the client reads it; null for a client that writes none, or did not get that far. */
  readonly result: boolean | null;
  /** Why the client stopped, for people; null if it did not. */
  readonly deadly: string | null;
  /** The call that made it stop. */
  readonly failure: Failure | null;
}

/** Uploads a blob and reads it; stores a result with a file and a link and looks it up, if the client writes results. */
export async function roundTrip(
  client: RemoteClient,
  forms: Forms,
  writesResults: boolean,
): Promise<RoundTrip> {
  let blob: boolean | null = null;
  let result: boolean | null = null;
  try {
    blob = await blobReturns(client);
    if (writesResults) result = await resultReturns(client, forms["output-symlinks"].writes);
    return { blob, result, deadly: null, failure: null };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return { blob, result, deadly: error.text, failure: failureOf(error) };
  }
}

async function blobReturns({ store, manner }: RemoteClient): Promise<boolean> {
  const blob = blobOf(`something new at ${performance.now()}\n`, manner.digestFunction);
  await store.upload([blob]);
  const [bytes] = await store.read([blob.digest]);
  return bytes!.equals(blob.bytes);
}

async function resultReturns(client: RemoteClient, linkForms: readonly string[]): Promise<boolean> {
  const { encoded, blobs } = client.prepare(sampleOf("link-to-file").spec, client.inputs({}));
  const file = blobOf("real\n", client.manner.digestFunction);
  const links = [{ path: "link.txt", target: "real.txt" }];
  await client.store.upload([...blobs, file]);
  await client.execution.storeResult(encoded.action.digest, {
    outputFiles: [{ path: "real.txt", digest: file.digest }],
    ...(linkForms.some((form) => form !== "unified") && { outputFileSymlinks: links }),
    ...(linkForms.some((form) => form !== "typed") && { outputSymlinks: links }),
  });
  const found = await client.execution.cachedResult(encoded.action.digest);
  if (found === null) return false;
  const outputs = await client.outputs(found);
  const [real, link] = [outputs.get("real.txt"), outputs.get("link.txt")];
  const isRead = client.manner.reads.symlinks.length > 0;
  return (
    real?.kind === "file" &&
    real.content.equals(file.bytes) &&
    (!isRead || (link?.kind === "symlink" && link.target === "real.txt"))
  );
}
