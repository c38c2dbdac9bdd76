/** Compiles `src` to `dist`, the code of the published package. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, globSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const tsc = join(root, "node_modules/typescript/bin/tsc");

rmSync(join(root, "dist"), { recursive: true, force: true });
const compiled = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (compiled.status !== 0) process.exit(1);
// The compiler only carries over what it compiles; data stands beside the code that reads it.
for (const file of globSync("src/**/*.json", { cwd: root })) {
  cpSync(join(root, file), join(root, file.replace(/^src/, "dist")));
}
chmodSync(join(root, "dist/cli/bin.js"), 0o755);
