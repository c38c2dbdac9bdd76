/** What a peer reads and writes of each feature, as plain data: what the plan is made of. */
import type { Level } from "../spec/versions.ts";
import type { ClientFacts, Role, ServerFacts } from "./profile.ts";

/** How something is known about a peer, strongest first. */
export type EvidenceSource = "configured" | "advertised" | "probed" | "profile" | "assumed";

/** Why something is held to be so. */
export interface Evidence {
  readonly source: EvidenceSource;
  /** For people, in a few words: `profile buildbarn@2026-03-26`, `high_api_version 2.3`. */
  readonly note: string;
}

/** The forms of one feature that a peer takes and makes. A form that combines two others is a form of its own. */
export interface Support {
  /** What it understands, the best first; never empty. */
  readonly reads: readonly string[];
  /** What its messages may be in; never empty. Each call may be in any of them. */
  readonly writes: readonly string[];
  /** What it writes in several forms, it writes in all of them at once; absent if it is not known to. */
  readonly together?: true;
  readonly evidence: Evidence;
}

/** What is known of a peer besides the forms of features, as profiles state it; what nobody knows is absent. */
export type KnownFacts<R extends Role> = R extends "server" ? ServerFacts : ClientFacts;

/** One peer: a client or a server, for one instance name. Immutable. */
export interface Dialect<R extends Role = Role> {
  readonly role: R;
  /** As messages name it: `Bazel 8.1`, `Buildbarn 2026-03-26`. */
  readonly name: string;
  /** The revision it is taken to speak, for messages; null where nobody knows. */
  readonly version: string | null;
  /** Numbers of the digest functions it offers or uses, in order of preference; empty where nobody knows. */
  readonly digestFunctions: readonly number[];
  /** Paths of methods that it is known to lack, whatever its forms say. */
  readonly missingMethods: readonly string[];
  /** By feature. What is absent is as the feature assumes. */
  readonly features: Readonly<Record<string, Support>>;
  readonly facts: KnownFacts<R>;
}

/** A statement about one feature of a peer, from configuration, a probe or a profile. */
export interface Claim {
  readonly feature: string;
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  /** Of `writes`: all of them at once. */
  readonly together?: boolean;
  readonly evidence: Evidence;
}

/** All that is known of a peer before it is a dialect. */
export interface PeerFacts<R extends Role = Role> {
  readonly role: R;
  readonly name: string;
  /** The level that its version number stands for, and how that is known; null where it states none. */
  readonly level: { readonly value: Level; readonly evidence: Evidence } | null;
  readonly digestFunctions: readonly number[];
  /** Paths of methods that configuration, a probe or a profile says it lacks; a version number is no proof. */
  readonly missingMethods: readonly string[];
  /** The strongest evidence for a feature first. */
  readonly claims: readonly Claim[];
  /** The rest of what profiles state and servers announce; nothing is known without it. */
  readonly facts?: KnownFacts<R>;
}
