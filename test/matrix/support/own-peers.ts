/** Peers of a test's own, in files that bridges read as an operator's. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ProfileCatalogue } from "../../../src/peers/profile-catalogue.ts";
import { loadProfiles } from "../../../src/peers/read-profile.ts";

/** A profile as it stands in a file. */
export interface OwnProfile {
  readonly role: "client" | "server";
  readonly peer: string;
  readonly title: string;
  readonly extends?: string;
  readonly ranges: readonly { readonly facts?: object; readonly features?: object }[];
}

/** The shipped profiles with those of the test, whose files are gone when it is over, and a directory for whatever else it keeps. */
export async function ownPeers(
  t: TestContext,
  profiles: readonly OwnProfile[],
): Promise<{
  readonly catalogue: ProfileCatalogue;
  readonly files: readonly string[];
  readonly dir: string;
}> {
  const dir = await mkdtemp(join(tmpdir(), "peers-"));
  t.after(() => rm(dir, { recursive: true }));
  const files = profiles.map(({ peer }) => join(dir, `${peer}.json`));
  await Promise.all(files.map((file, index) => writeFile(file, JSON.stringify(profiles[index]))));
  return { catalogue: loadProfiles(files), files, dir };
}
