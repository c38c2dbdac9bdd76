/** Which client a call is from, by what its tool says of itself in RequestMetadata (D05). */
import type { ResolvedClient } from "./profile.ts";
import type { ProfileCatalogue } from "./profile-catalogue.ts";
import { parseVersion, reaches } from "./version-range.ts";

/**
 * The ranges that may be behind `tool_name` and `tool_version`, oldest first: one where the version tells, all of the client's where
 * it does not, none where no client has that name, or none of that version is known. What several have in common is certain, the rest
 * is not.
 */
export function recogniseClient(
  catalogue: ProfileCatalogue,
  toolName: string,
  toolVersion: string,
): readonly ResolvedClient[] {
  const peers = catalogue.names("client").map((peer) => catalogue.ranges("client", peer));
  const ranges = peers.find((all) => all.some((range) => isNamed(range, toolName))) ?? [];
  return ranges.filter((range) => isNamed(range, toolName) && mayHave(range, toolVersion));
}

function isNamed({ facts }: ResolvedClient, toolName: string): boolean {
  return facts.tool !== undefined && new RegExp(facts.tool.name).test(toolName);
}

function mayHave({ facts, ends }: ResolvedClient, toolVersion: string): boolean {
  if (facts.tool?.version === undefined) return true;
  const found = new RegExp(facts.tool.version).exec(toolVersion)?.[1];
  const version = found === undefined ? null : parseVersion(found);
  return version === null || reaches(ends, version);
}
