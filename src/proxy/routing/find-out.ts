/** Finds out what an upstream is, with the credentials of a call. */
import { readAdvertised } from "../../peers/advertised.ts";
import type { ServerEvidence } from "../../peers/server-dialect.ts";
import { GET_CAPABILITIES } from "../../translators/methods.ts";
import type { Caller } from "../../upstream/caller.ts";
import { SAFE_DIALECT } from "../../upstream/dialect.ts";
import { UpstreamClient } from "../../upstream/upstream-client.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { Status } from "../../wire/status.ts";
import { WireError } from "../../wire/wire-error.ts";

/** What the upstream tells of itself for an instance; null if it tells nothing. */
export async function findOut(caller: Caller, instance: string): Promise<Partial<ServerEvidence> | null> {
  const port = new UpstreamClient({ caller, dialect: SAFE_DIALECT, instance, digestFunction: null });
  try {
    return { advertised: readAdvertised(await port.capabilities()) };
  } catch (error) {
    if (error instanceof UpstreamError && error.code === Status.UNIMPLEMENTED)
      return { missingMethods: [GET_CAPABILITIES] };
    if (error instanceof UpstreamError || error instanceof WireError) return null;
    throw error;
  } finally {
    port.close();
  }
}
