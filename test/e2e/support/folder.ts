import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** An empty folder that is gone when the tests of the file have run. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "e2e-"));
  after(() => {
    // Bazel leaves folders that only root could remove as they are.
    spawnSync("chmod", ["-R", "u+w", folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/**
 * What a folder holds, one line per entry, sorted by path: kind, executable bit and SHA-256 of a file, the target of a
 * symbolic link. Times and owners do not count.
 */
export function contents(folder: string, skip: (path: string) => boolean = () => false): string[] {
  const lines: string[] = [];
  const visit = (inside: string) => {
    for (const name of readdirSync(join(folder, inside)).sort()) {
      const path = join(inside, name);
      if (skip(path)) continue;
      const whole = join(folder, path);
      const stat = lstatSync(whole);
      if (stat.isSymbolicLink()) lines.push(`${path} -> ${readlinkSync(whole)}`);
      else if (stat.isDirectory()) {
        lines.push(`${path}/`);
        visit(path);
      } else {
        const hash = createHash("sha256").update(readFileSync(whole)).digest("hex");
        lines.push(`${path}${(stat.mode & 0o100) === 0 ? "" : "*"} ${stat.size} ${hash}`);
      }
    }
  };
  visit("");
  return lines;
}
