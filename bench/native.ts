/** The generator and the backend: C programs, compiled when they are older than their sources. */
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "native");
const BUILT = join(import.meta.dirname, ".build");
const SHARED = ["h2.c", "header-encoder.c", "body.c", "socket.c"];
const NEEDS =
  "The benchmark needs gcc and the headers of libnghttp2 and OpenSSL. On Debian: apt-get install gcc libnghttp2-dev libssl-dev";

/** The paths of the compiled programs. */
export interface Programs {
  readonly generator: string;
  readonly backend: string;
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function compile(name: string): string {
  const program = join(BUILT, name);
  const newest = Math.max(...globSync(join(SOURCES, "*.[ch]")).map(modified));
  if (modified(program) > newest) return program;
  const sources = [`${name}.c`, ...SHARED].map((file) => join(SOURCES, file));
  const flags = ["-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror"];
  const { status, error, stderr } = spawnSync(
    "gcc",
    [...flags, "-o", program, ...sources, "-lnghttp2", "-lssl", "-lcrypto"],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${NEEDS}\n${error?.message ?? stderr}`);
  return program;
}

/** Compiles what is out of date; throws with what to install where that fails. */
export function buildPrograms(): Programs {
  mkdirSync(BUILT, { recursive: true });
  return { generator: compile("loadgen"), backend: compile("backend") };
}
