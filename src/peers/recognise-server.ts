/** Which known server answers, by what it announces and how it answers harmless questions. REAPI gives servers no way to say their name. */
import { methodAt } from "../spec/methods.ts";
import { isLevel } from "../spec/versions.ts";
import { ASKS, type Ask, pathOf } from "../upstream/asks.ts";
import { GET_CAPABILITIES } from "../upstream/methods.ts";
import { type Observation, type Observations, saysSomething } from "../upstream/probe.ts";
import { Status } from "../wire/status.ts";
import type { Advertised } from "./advertised.ts";
import { announcesAll, mayAnnounce } from "./announced.ts";
import type { ResolvedServer } from "./profile.ts";
import type { ProfileCatalogue } from "./profile-catalogue.ts";
import { isMissing, mayLack } from "./profile-methods.ts";

/** What a server looks like. */
export interface Recognition {
  /** The ranges it must be one of, oldest first within a peer; none if there is no proof that it is any known server. */
  readonly candidates: readonly ResolvedServer[];
  /** Every range that it could be by what was seen, those included that say too little to be ruled out. */
  readonly possible: readonly ResolvedServer[];
}

/**
 * The ranges that a server may be in, by all that was seen of it. It is held for a known one only on proof, never for the nearest:
 *
 * - a sign that only some peers have: an answer with a text of theirs, or a service of theirs in the list of reflection. Ranges of those
 *   peers are candidates as far as nothing speaks against them;
 * - or an announcement that all other peers of the catalogue would contradict, with window, digest functions and an uncommon batch
 *   limit, or a version that the API does not have, as the profile states them.
 *
 * @param advertised What GetCapabilities told; null if there is no answer, or it cannot be read.
 */
export function recogniseServer(
  catalogue: ProfileCatalogue,
  observations: Observations,
  advertised: Advertised | null,
): Recognition {
  const possible = servers(catalogue).filter((server) => isPossible(server, observations, advertised));
  const signed = peersOf(possible.filter((server) => isSigned(server, observations)));
  const all = peersOf(possible);
  const alone =
    all.size === 1 &&
    advertised?.statesStore === true &&
    possible.some((server) => announcesAll(server, advertised)) &&
    possible.every(statesMuch);
  const proven = signed.size > 0 ? signed : alone ? all : new Set();
  const candidates = possible.filter(({ peer }) => proven.has(peer));
  // Some of the functions of one range may be all of another's.
  const exact = candidates.filter((server) => advertised !== null && announcesAll(server, advertised));
  return { candidates: exact.length > 0 ? exact : candidates, possible };
}

/** The questions whose answers tell some servers of the catalogue from others. */
export function tellingAsks(catalogue: ProfileCatalogue): Ask[] {
  const all = servers(catalogue);
  return ASKS.filter((ask) => {
    const path = pathOf(ask);
    return (
      all.some(
        ({ facts }) =>
          facts.recognition?.signs.some((sign) => sign.ask === ask) === true ||
          (ask === "reflection" && facts.vendorServices !== undefined),
      ) ||
      (all.some((server) => isMissing(server, path)) && !all.every((server) => mayLack(server, path)))
    );
  });
}

/** All ranges of all servers, each once. */
function servers(catalogue: ProfileCatalogue): ResolvedServer[] {
  const names = catalogue.names("server");
  return [...new Set(names.flatMap((name) => catalogue.ranges("server", name)))];
}

function peersOf(ranges: readonly ResolvedServer[]): ReadonlySet<string> {
  return new Set(ranges.map(({ peer }) => peer));
}

function isPossible(
  server: ResolvedServer,
  { signs, capabilitiesStatus }: Observations,
  advertised: Advertised | null,
): boolean {
  const status = capabilitiesStatus ?? Status.UNAVAILABLE;
  const mustAnnounce = server.facts.window !== undefined && status === Status.UNIMPLEMENTED;
  return (
    !mustAnnounce &&
    (!saysSomething(status) || mayEnd(server, GET_CAPABILITIES, status)) &&
    (advertised === null || mayAnnounce(server, advertised)) &&
    signs.every((sign) => mayAnswer(server, sign))
  );
}

/** Whether a call of the method may end so. What is not of the API, profiles do not list. */
function mayEnd(server: ResolvedServer, path: string, status: number): boolean {
  if (methodAt(path) === undefined) return true;
  return status === Status.UNIMPLEMENTED ? mayLack(server, path) : !isMissing(server, path);
}

function mayAnswer(server: ResolvedServer, seen: Observation): boolean {
  const stated = server.facts.recognition?.signs.filter(({ ask }) => ask === seen.ask) ?? [];
  return mayEnd(server, pathOf(seen.ask), seen.status) && stated.every((sign) => isSeen(sign, seen));
}

type Sign = NonNullable<ResolvedServer["facts"]["recognition"]>["signs"][number];

function isSeen({ status, text }: Sign, seen: Observation): boolean {
  return Status[status] === seen.status && (text === undefined || new RegExp(text).test(seen.text));
}

/** Whether something was seen that is the peer's own. A status alone is not: many answer so. */
function isSigned({ facts }: ResolvedServer, { signs }: Observations): boolean {
  return signs.some(
    (seen) =>
      facts.recognition?.signs.some(
        (sign) => sign.ask === seen.ask && sign.text !== undefined && isSeen(sign, seen),
      ) === true || facts.vendorServices?.are.some((name) => seen.services.includes(name)) === true,
  );
}

/** The default of gRPC for the largest message, which many announce for batches. */
const COMMON_BATCH_BYTES = 4 * 1024 * 1024;

/** Whether the profile states so much of what is announced that a stranger would hardly announce the same. */
function statesMuch({ facts: { window, batchLimit, digestFunctions } }: ResolvedServer): boolean {
  if (window?.high === undefined || digestFunctions === undefined) return false;
  const { announced } = batchLimit ?? { announced: 0 };
  return (announced > 0 && announced !== COMMON_BATCH_BYTES) || !isLevel(window.high);
}
