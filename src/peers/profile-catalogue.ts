/** Known peers by name. */
import { didYouMean } from "../config/did-you-mean.ts";
import type {
  FeatureClaims,
  Profile,
  ProfileRange,
  ResolvedClient,
  ResolvedProfile,
  ResolvedServer,
  Role,
} from "./profile.ts";
import { parseVersion, reaches, type VersionRange } from "./version-range.ts";

/** The ends of a range as numbers. */
export function endsOf({ from, to }: ProfileRange<unknown>): VersionRange {
  const end = (text: string | undefined) => (text === undefined ? null : parseVersion(text));
  return { from: end(from), to: end(to) };
}

/** A set of profiles that does not change. Clients and servers have names of their own. */
export class ProfileCatalogue {
  private readonly byName: ReadonlyMap<string, readonly ResolvedProfile[]>;

  private constructor(byName: ReadonlyMap<string, readonly ResolvedProfile[]>) {
    this.byName = byName;
  }

  static readonly EMPTY: ProfileCatalogue = new ProfileCatalogue(new Map());

  /**
   * A set with one more. It may extend what is already there, so that nothing extends itself.
   * @throws RangeError if one of its names is taken, or what it extends is not there.
   */
  with(profile: Profile): ProfileCatalogue {
    const { role, peer, aliases = [], extends: base } = profile;
    const byName = new Map(this.byName);
    const ranges = resolveRanges(profile, base === undefined ? null : this.resolve(role, base));
    for (const name of [peer, ...aliases]) {
      if (byName.has(`${role} ${name}`)) throw new RangeError(`there is already a ${role} called ${name}`);
      byName.set(`${role} ${name}`, ranges);
    }
    return new ProfileCatalogue(byName);
  }

  /** Every name and alias of a role, sorted. */
  names(role: Role): string[] {
    const names = [...this.byName.keys()].filter((key) => key.startsWith(`${role} `));
    return names.map((key) => key.slice(role.length + 1)).sort();
  }

  /**
   * All ranges of a peer, oldest first.
   * @param peer A name or alias, without a version.
   * @throws RangeError with what was probably meant.
   */
  ranges(role: "server", peer: string): readonly ResolvedServer[];
  ranges(role: "client", peer: string): readonly ResolvedClient[];
  ranges(role: Role, peer: string): readonly ResolvedProfile[];
  ranges(role: Role, peer: string): readonly ResolvedProfile[] {
    const ranges = this.byName.get(`${role} ${peer}`);
    if (ranges !== undefined) return ranges;
    const names = this.names(role);
    const hint = didYouMean(peer, names) || `; known are ${names.join(", ")}`;
    throw new RangeError(`there is no profile of a ${role} called "${peer}"${hint}`);
  }

  /**
   * The newest range that a name stands for: `buildbarn` for the newest of all, `nativelink@1.6` for the newest that any 1.6 is in,
   * `buildbarn@2026-03-26` by date.
   * @throws RangeError with what was probably meant, or with the ranges there are.
   */
  resolve(role: "server", name: string): ResolvedServer;
  resolve(role: "client", name: string): ResolvedClient;
  resolve(role: Role, name: string): ResolvedProfile;
  resolve(role: Role, name: string): ResolvedProfile {
    const [peer = "", text] = name.split("@", 2);
    const ranges = this.ranges(role, peer);
    const version = text === undefined ? [] : parseVersion(text);
    const found = version && ranges.findLast(({ ends }) => reaches(ends, version));
    if (found) return found;
    const known = ranges.map(({ range }) => range || "any version").join(", ");
    throw new RangeError(`no range of ${peer} holds "${text}"; there are ${known}`);
  }
}

function resolveRanges(profile: Profile, base: ResolvedProfile | null): readonly ResolvedProfile[] {
  const { role, peer, title } = profile;
  let facts: object = base?.facts ?? {};
  let features: FeatureClaims = base?.features ?? {};
  return profile.ranges.map((range) => {
    facts = range.afresh ? { ...range.facts } : { ...facts, ...range.facts };
    features = range.afresh ? { ...range.features } : { ...features, ...range.features };
    const name = nameOf(peer, range);
    return {
      role,
      peer,
      title,
      name,
      range: rangeText(range),
      ends: endsOf(range),
      facts,
      features,
    } as ResolvedProfile;
  });
}

/** The last version is in no later range; without one the range is the newest, and the name alone leads to it. */
function nameOf(peer: string, { from, to }: ProfileRange<unknown>): string {
  const version = to ?? from;
  return version === undefined ? peer : `${peer}@${version}`;
}

function rangeText({ from, to }: ProfileRange<unknown>): string {
  if (from === undefined) return to === undefined ? "" : `up to ${to}`;
  if (to === undefined) return `from ${from}`;
  if (from === to) return from;
  return from.startsWith(`${to}.`) ? `${to}, from ${from}` : `${from} to ${to}`;
}
