/** Peers that are just as a level has them, as profiles: what an operator would write of one. */
import type { Profile, Role } from "../../src/peers/profile.ts";
import { ProfileCatalogue } from "../../src/peers/profile-catalogue.ts";
import { knows } from "../../src/spec/ledger.ts";
import { LEVELS, type Level } from "../../src/spec/versions.ts";

/**
 * The profile of a peer that does all that the text of the level says: also where known peers do not, so that no level tells and only a profile can say it (how
 * programs are found, and whether symlink targets have to be canonical).
 */
export function levelProfile(role: Role, level: Level): Profile {
  const evidence = "the text of the level";
  const program = [knows(level, "behaviour:argv0") ? "working-directory" : "input-root"];
  const target = [knows(level, "behaviour:lenient-symlink-targets") ? "lenient" : "strict"];
  const peer = nameOf(role, level);
  const title = `A ${role} of ${level}`;
  if (role === "client") {
    const features = { argv0: { writes: program, evidence } };
    return { role, peer, title, ranges: [{ facts: { level: { is: level, evidence } }, features }] };
  }
  const features = { argv0: { reads: program, evidence }, "input-symlinks": { reads: target, evidence } };
  return { role, peer, title, ranges: [{ facts: { level: { is: level, evidence } }, features }] };
}

/** The name of that peer. */
export function nameOf(role: Role, level: Level): string {
  return `${role}-of-${level.replace(".", "-")}`;
}

/** All of them. */
export function levelPeers(): ProfileCatalogue {
  return LEVELS.reduce(
    (known, level) => known.with(levelProfile("server", level)).with(levelProfile("client", level)),
    ProfileCatalogue.EMPTY,
  );
}

/**
 * Features of which a client of one level sees a difference at a server of another although nothing is translated or refused: what passes as it is, because it
 * does no harm, and shows all the same. By feature the directions in which it passes.
 */
export const SEEN_AS_IT_IS: Readonly<Record<string, readonly ("toServer" | "toClient")[]>> = {
  "output-types": ["toServer", "toClient"],
  "platform-lexicon": ["toServer"],
};
