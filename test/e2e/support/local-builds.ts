import assert from "node:assert/strict";
import { join } from "node:path";
import { after } from "node:test";
import { Bazel, type BazelVersion } from "./bazel.ts";

/** What a small build makes: generated sources, a program, directories, a program by a relative path, a link. */
export const TARGETS: readonly string[] = ["//app/...", "//tree/...", "//relative/...", "//links:link"];

/** A Bazel that was used to build `TARGETS` here, without any server, and what came of it. */
export interface LocalBuild {
  readonly bazel: Bazel;
  readonly outputs: readonly string[];
}

/**
 * Builds here what servers are to build, once for each version, and keeps the Bazel for what comes next: it stays until the tests of the file
 * have run. Call it before `scratch`, so that its servers are gone before the folder that they work in.
 */
export function localBuilds(): (version: BazelVersion, folder: string) => Promise<LocalBuild> {
  const builds = new Map<BazelVersion, LocalBuild>();
  after(async () => {
    for (const { bazel } of builds.values()) await bazel.shutdown();
  });
  return async (version, folder) => {
    const known = builds.get(version);
    if (known !== undefined) return known;
    const bazel = new Bazel(version, join(folder, version), folder, { resident: true, modules: 2 });
    const { code, output } = await bazel.build(...bazel.local(), ...TARGETS);
    assert.equal(code, 0, output);
    const local = { bazel, outputs: bazel.outputs() };
    builds.set(version, local);
    return local;
  };
}

/** Outputs without empty directories: Bazels from 0.18 on do not make those of what comes from a server. */
export function comparable(outputs: readonly string[]): string[] {
  return outputs.filter((line) => !line.endsWith("/empty/"));
}

/**
 * Comparable local outputs as they come from a server that executed them, or that was their cache only: with links where both have them, and
 * with what they lead to where the server follows those that are outputs themselves.
 */
export function fromServer(
  outputs: readonly string[],
  version: BazelVersion,
  executes: boolean,
  areFollowed: boolean,
): string[] {
  const compared = comparable(outputs);
  // 0.17 knows no links: what a server reports in directories is not there, and the bridge has the others followed.
  const knowsLinks = version !== "0.17.2";
  const text = compared.find((line) => /\/text\.txt\*/.test(line))!;
  return compared
    .filter((line) => knowsLinks || !executes || !line.includes("/tool -> "))
    .map((line) => {
      if (line.includes("/link.txt -> ")) {
        return !knowsLinks || areFollowed ? text.replace("/text", "/link") : line;
      }
      // It stores them as what they lead to.
      const [folder] = line.split("/tool -> deep/tool");
      const tool = compared.find((other) => other.startsWith(`${folder}/deep/tool*`));
      return knowsLinks || tool === undefined ? line : tool.replace("/deep/", "/");
    });
}
