/** Servers and clients that are as a level has them, in files that bridges read. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { levelProfile, nameOf } from "../../../scripts/reference/level-peers.ts";
import type { ResolvedClient, ResolvedServer } from "../../../src/peers/profile.ts";
import { loadProfiles } from "../../../src/peers/read-profile.ts";
import { LEVELS, type Level } from "../../../src/spec/versions.ts";

/** The files, and the peers in them. */
export interface LevelProfiles {
  readonly files: readonly string[];
  server(level: Level): ResolvedServer;
  client(level: Level): ResolvedClient;
}

/** Writes the profiles of all levels into a directory. */
export async function writeLevelProfiles(dir: string): Promise<LevelProfiles> {
  await mkdir(dir, { recursive: true });
  const files: string[] = [];
  for (const level of LEVELS) {
    for (const role of ["server", "client"] as const) {
      const file = join(dir, `${nameOf(role, level)}.json`);
      await writeFile(file, JSON.stringify(levelProfile(role, level)));
      files.push(file);
    }
  }
  const catalogue = loadProfiles(files);
  return {
    files,
    server: (level) => catalogue.resolve("server", nameOf("server", level)),
    client: (level) => catalogue.resolve("client", nameOf("client", level)),
  };
}
