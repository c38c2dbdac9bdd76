/** What a running server tells of itself. */
import { StartError } from "../../config/start-error.ts";
import { type Advertised, readAdvertised } from "../../peers/advertised.ts";
import { type ServerEvidence, unknownServer } from "../../peers/server-dialect.ts";
import { GET_CAPABILITIES } from "../../translators/methods.ts";
import type { Caller } from "../../upstream/caller.ts";
import { SAFE_DIALECT } from "../../upstream/dialect.ts";
import { UpstreamClient } from "../../upstream/upstream-client.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { Status, statusName } from "../../wire/status.ts";
import { WireError } from "../../wire/wire-error.ts";
import { GrpcCaller, type Remote } from "./grpc-caller.ts";

/** How long one call may take, connecting included, in milliseconds. */
const DEADLINE_MS = 5_000;

/**
 * Asks a server for an instance of it, without a caller's credentials.
 * @throws StartError of kind `upstream` if it cannot be reached or refuses to answer.
 */
export async function askServer(upstream: Remote, instance: string): Promise<ServerEvidence> {
  const caller = new GrpcCaller(upstream, DEADLINE_MS);
  try {
    return await evidenceFrom(caller, upstream.display, instance);
  } finally {
    caller.close();
  }
}

async function evidenceFrom(caller: Caller, display: string, instance: string): Promise<ServerEvidence> {
  const nothing = unknownServer(display);
  try {
    return { ...nothing, advertised: await advertised(caller, instance) };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.code === Status.UNIMPLEMENTED) return { ...nothing, missingMethods: [GET_CAPABILITIES] };
    const reason = `${statusName(error.code)}${error.message === "" ? "" : ` (${error.message})`}`;
    throw new StartError(
      "upstream",
      `${display} does not tell what it can do: GetCapabilities ended with ${reason}. ` +
        "Name what the server is instead, as in --server buildfarm@2.15 (docs/profiles.md)",
      { cause: error },
    );
  }
}

/** @throws UpstreamError if there is no answer, or one that cannot be read. */
async function advertised(caller: Caller, instance: string): Promise<Advertised> {
  const client = new UpstreamClient({ caller, dialect: SAFE_DIALECT, instance, digestFunction: null });
  try {
    return readAdvertised(await client.capabilities());
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new UpstreamError(Status.INTERNAL, `the answer cannot be read: ${error.message}`);
  } finally {
    client.close();
  }
}
