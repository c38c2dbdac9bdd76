/** Servers and clients that are as a level has them, as profiles: what an operator would write of a peer that is exactly so. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ResolvedClient, ResolvedServer } from "../../../src/peers/profile.ts";
import { loadProfiles } from "../../../src/peers/read-profile.ts";
import { LEVELS, type Level } from "../../../src/spec/versions.ts";
import { levelClient } from "../../peers/client/level-client.ts";

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
      const file = join(dir, `${nameOf(level, role)}.json`);
      await writeFile(file, JSON.stringify(profileOf(level, role)));
      files.push(file);
    }
  }
  const catalogue = loadProfiles(files);
  return {
    files,
    server: (level) => catalogue.resolve("server", nameOf(level, "server")),
    client: (level) => catalogue.resolve("client", nameOf(level, "client")),
  };
}

function nameOf(level: Level, role: string): string {
  return `${role}-of-${level.replace(".", "-")}`;
}

function profileOf(level: Level, role: "server" | "client") {
  const { facts, features } = levelClient(level);
  // A level does not tell where programs are looked for; the servers and clients that are played go by its text.
  const { writes, evidence } = features.argv0!;
  const argv0 = role === "client" ? { writes, evidence } : { reads: writes, evidence };
  return {
    role,
    peer: nameOf(level, role),
    title: `A ${role} of ${level}`,
    ranges: [{ facts: { level: facts.level }, features: { argv0 } }],
  };
}
