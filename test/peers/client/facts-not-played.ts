import type { CLIENT_FACTS } from "../../../src/peers/client-facts.ts";
import type { ProfileFeature } from "../../../src/peers/profile-features.ts";

type Fact = keyof typeof CLIENT_FACTS;
type Member = { [F in Fact]: `${F}.${Extract<keyof (typeof CLIENT_FACTS)[F]["members"], string>}` }[Fact];

/** Features of which played clients have no form, with the reason. */
export const FEATURES_NOT_PLAYED: Readonly<Partial<Record<ProfileFeature, string>>> = {
  "ancient-clients": "messages from before 2018-11 are in no schema here",
  "asset-checksums": "see assets.checksums",
  "output-nesting": "the test says which outputs an action has",
  "output-parents":
    "commands of the tests make no directories, and their clients count on none that they do not send",
  "cache-writes": "a result that is written to the cache is the test's own",
  "execution-metadata": "identifiers of executions were a proposal that no client of the profiles reads",
  "indirect-chunks": "see chunking.optional",
  "streamed-chunks": "see chunking.optional",
  "inline-outputs": "no client of the profiles can do with one form of output only",
  "strict-canonical": "no client is known to be strict, and none is played so",
  "asset-service": "the probes show what a client makes of it; no played client fetches or pushes assets",
};

/** What profiles say of clients and played clients do not go by, with the reason. A test holds that they go by everything else. */
export const FACTS_NOT_PLAYED: Readonly<Partial<Record<Member, string>>> = {
  "assets.checksums": "no played client fetches assets: the form is in the requests of tests of that feature",
  "capabilities.priorityChecked": "Bazel compares priorities that its user sets, and actions here have none",
  "chunking.optional": "blobs travel whole, which every client can do; chunks are for tests of that feature",
  "nodeAttributes.read":
    "every client reads the attributes that its level has, and none is the worse for them",
  "outputDirectories.expected": "whether a command counts on its directories is for the test to say",
  "platformProperties.are": "the test says which properties an action asks for",
  "vendorServices.are": "only the API is played",
};
