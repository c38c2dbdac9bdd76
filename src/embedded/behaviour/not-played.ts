/** What profiles say of servers that the embedded server does not play, and why. */

/** By fact (`gitHashes`), member of a fact (`chunking.rule`) or feature (`feature:ancient-clients`). A test compares it with the facts. */
export const NOT_PLAYED: Readonly<Record<string, string>> = {
  gitHashes: "blobs under names of git objects are of no use to the clients it is there for",
  "requestMetadata.toolActedOn": "what a server does for one tool alone is not part of the API",
  "chunking.rule": "it always cuts by FastCDC 2020; a rule of a server's own is not public",
  "assets.checksums": "it fetches nothing, so that there is nothing to check",
  "priorities.urgent": "every action runs as soon as it comes, whatever its priority",
  "nodePropertyNames.of": "the names are listed as they are, whatever they are names of",
  platformTable: "it is what the bridge does on the way to the server",
  fileSystemRoot: "commands see the whole file system of this machine",
  "feature:cache-writes": "no server of the profiles takes an empty result for a broken one",
  "feature:execution-metadata": "identifiers of executions were a proposal only",
  "feature:indirect-chunks": "lists of chunks in blobs were a proposal that no server of the profiles has",
  "feature:streamed-chunks": "the streamed methods are a proposal, and in no schema here",
  "feature:ancient-clients": "v1test is a package of its own, which it does not serve",
};
