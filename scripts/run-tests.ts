/**
 * Runs the tests: `npm test` all that need nothing but this checkout, `npm run test:e2e` those with real programs,
 * `npm test -- --pack` those of the packed package. Files named as arguments replace the whole set; other arguments go to Node.
 */
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";

const SETS: Readonly<Record<string, { patterns: string[]; exclude: string[]; concurrency: number }>> = {
  fast: {
    patterns: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "test/pack/**"],
    concurrency: availableParallelism(),
  },
  // Each of these starts builds that use every core, and is measured against timeouts.
  "--e2e": { patterns: ["test/e2e/**/*.test.ts"], exclude: [], concurrency: 1 },
  "--pack": { patterns: ["test/pack/**/*.test.ts"], exclude: [], concurrency: 1 },
};

const args = process.argv.slice(2);
const name = args.find((arg) => arg in SETS) ?? "fast";
const { patterns, exclude, concurrency } = SETS[name]!;
const named = args.filter((arg) => !arg.startsWith("-"));
const passedOn = args.filter((arg) => arg.startsWith("-") && !(arg in SETS));
const files = globSync(named.length > 0 ? named : patterns, { exclude }).sort();
if (files.length === 0) {
  console.error(`no test files match ${(named.length > 0 ? named : patterns).join(" ")}`);
  process.exit(2);
}

const options = ["--test", `--test-concurrency=${concurrency}`, "--test-reporter=spec", ...passedOn];
const child = spawn(process.execPath, [...options, ...files], { stdio: "inherit" });
child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
