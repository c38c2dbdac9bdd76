/** Finds out what an upstream is, with the credentials of a call. */
import { type Advertised, readAdvertised } from "../../peers/advertised.ts";
import { probedFacts } from "../../peers/probed-facts.ts";
import type { ProfileCatalogue } from "../../peers/profile-catalogue.ts";
import { recogniseServer, tellingAsks } from "../../peers/recognise-server.ts";
import { recognisedFacts } from "../../peers/recognised-facts.ts";
import type { ServerEvidence } from "../../peers/server-dialect.ts";
import type { Caller } from "../../upstream/caller.ts";
import { probe, saysSomething } from "../../upstream/probe.ts";
import { Status } from "../../wire/status.ts";
import { WireError } from "../../wire/wire-error.ts";

/** Why nothing was learned: the upstream answers nobody, or not this caller about this instance; or the caller left before it did. */
export type Silence = "upstream" | "denied" | "left";

/**
 * What the upstream tells of itself for an instance, if it says whether it has capabilities. Where the `catalogue` is null nobody is to be
 * recognised, and only that is asked.
 */
export async function findOut(
  caller: Caller,
  instance: string,
  catalogue: ProfileCatalogue | null,
  deadlineMs: number,
): Promise<Partial<ServerEvidence> | Silence> {
  const asks = catalogue === null ? [] : tellingAsks(catalogue);
  const seen = await probe({ caller, instance, asks, deadlineMs });
  const { capabilitiesStatus } = seen;
  // Any other error is about the caller, the instance or the moment.
  if (capabilitiesStatus !== Status.OK && capabilitiesStatus !== Status.UNIMPLEMENTED)
    return silence(capabilitiesStatus);
  const advertised = seen.capabilities === null ? null : readable(seen.capabilities);
  const { candidates } =
    catalogue === null ? { candidates: [] } : recogniseServer(catalogue, seen, advertised);
  return { advertised, probed: probedFacts(seen), recognised: recognisedFacts(candidates) };
}

function silence(status: number | null): Silence {
  if (status === Status.CANCELLED) return "left";
  const ofCaller = status === Status.UNAUTHENTICATED || status === Status.PERMISSION_DENIED;
  return ofCaller || (status !== null && saysSomething(status)) ? "denied" : "upstream";
}

/** What capabilities say; null for bytes that cannot be read, which teach nothing. */
export function readable(capabilities: Buffer): Advertised | null {
  try {
    return readAdvertised(capabilities);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
