/** What a profile file says about a known peer, as it stands in the file. */
import type { CLIENT_FACTS } from "./client-facts.ts";
import type { ProfileFeature } from "./profile-features.ts";
import type { Members, RecordOf } from "./profile-kinds.ts";
import type { SERVER_FACTS } from "./server-facts.ts";
import type { VersionRange } from "./version-range.ts";

/** Which side of the bridge a peer is on. */
export type Role = "client" | "server";

/** Where a statement is from, in a few words of our own: a commit, a thread, a file of the peer. */
interface Evident {
  readonly evidence: string;
}

/** The forms of a feature that a peer reads and writes, where they are not as its level and its other facts tell. */
interface FeatureClaim extends Evident {
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  /** Of a client: what it writes in several forms, it writes in all of them at once. */
  readonly together?: boolean;
}

/** What is said of the features. */
export type FeatureClaims = { readonly [F in ProfileFeature]?: FeatureClaim };

type FactsOf<Table extends Readonly<Record<string, { readonly members: Members }>>> = {
  readonly [F in keyof Table]?: RecordOf<Table[F]["members"]> & Evident;
};

/** What is said of a server. */
export type ServerFacts = FactsOf<typeof SERVER_FACTS>;

/** What is said of a client. */
export type ClientFacts = FactsOf<typeof CLIENT_FACTS>;

/** The versions or dates in which a peer is one and the same. */
export interface ProfileRange<Facts> {
  /** The first version or date; none for from the beginning. */
  readonly from?: string;
  /** The last one, with all that it stands for: `2.9` holds 2.9.4, `2026` all of that year; none for up to now. */
  readonly to?: string;
  /** Nothing is taken over from the range before. */
  readonly afresh?: boolean;
  /** What differs from the range before; a fact replaces the one of that name as a whole. */
  readonly facts?: Facts;
  readonly features?: FeatureClaims;
}

interface ProfileOf<R extends Role, Facts> {
  readonly role: R;
  /** Its name, and the name of its file: lower case with hyphens. */
  readonly peer: string;
  /** Its name for people. */
  readonly title: string;
  /** Other names that lead to it. */
  readonly aliases?: readonly string[];
  /** The peer, as `name` or `name@version`, whose facts come before the first range's own. */
  readonly extends?: string;
  /** Oldest first, without overlaps. */
  readonly ranges: readonly ProfileRange<Facts>[];
}

/** A profile of a server. */
type ServerProfile = ProfileOf<"server", ServerFacts>;

/** A profile of a client. */
type ClientProfile = ProfileOf<"client", ClientFacts>;

/** A profile of either. */
export type Profile = ServerProfile | ClientProfile;

interface ResolvedOf<R extends Role, Facts> {
  readonly role: R;
  readonly peer: string;
  readonly title: string;
  /** Its own name: `buildbarn@2026-03-26`. Resolving it leads here again. */
  readonly name: string;
  /** The range as people write it: `2.2 to 2.9`, `from 2026-03-26`; empty if it has no ends. */
  readonly range: string;
  readonly ends: VersionRange;
  readonly facts: Facts;
  readonly features: FeatureClaims;
}

/** All that is said of a server in one range. */
export type ResolvedServer = ResolvedOf<"server", ServerFacts>;

/** All that is said of a client in one range. */
export type ResolvedClient = ResolvedOf<"client", ClientFacts>;

/** One range of a peer with all that is inherited. */
export type ResolvedProfile = ResolvedServer | ResolvedClient;
