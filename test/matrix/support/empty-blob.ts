import { blobOf, SHA256 } from "../../../src/client/blob.ts";
import { CallFailed } from "../../../src/client/call-failed.ts";
import { Connection } from "../../../src/client/connection.ts";
import { mannerOf } from "../../../src/client/manner.ts";
import { RemoteClient } from "../../../src/client/remote-client.ts";
import { knows } from "../../../src/spec/ledger.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { OK, type Outcome, ofFailure } from "./outcome.ts";

/** Whether a client of the level can use the empty blob: uploaded like any other before 2.2, and since then there by itself (D13). */
export async function emptyBlob(address: string, level: Level): Promise<Outcome> {
  const connection = new Connection(address, { level });
  const client = new RemoteClient(connection, { ...mannerOf(level), emptyBlob: true });
  const empty = blobOf("", SHA256);
  try {
    const missing = await client.store.missing([empty]);
    if (missing.length > 0 && knows(level, "behaviour:empty-blob"))
      return { kind: "lost", text: "the empty blob is said to be missing" };
    await client.store.put(missing);
    const [bytes] = await client.store.read([empty.digest]);
    return bytes?.length === 0 ? OK : { kind: "lost", text: "the empty blob is not empty" };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    return ofFailure(error, error.text);
  } finally {
    connection.close();
  }
}
