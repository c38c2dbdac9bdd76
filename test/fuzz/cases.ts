import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HERE = import.meta.dirname;

function filesOf(folder: string): Buffer[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((file) => readFileSync(join(folder, file)));
}

/** The inputs that fuzzing of a target starts from: `corpus/TARGET/`. */
export function corpusOf(target: string): Buffer[] {
  return filesOf(join(HERE, "corpus", target));
}

/** The inputs that once broke a target: `regressions/TARGET/`. */
export function regressionsOf(target: string): Buffer[] {
  return filesOf(join(HERE, "regressions", target));
}

/** Keeps an input that broke a target; returns the file, relative to the working directory. */
export function keepRegression(target: string, input: Uint8Array): string {
  const folder = join("test", "fuzz", "regressions", target);
  const file = join(folder, createHash("sha256").update(input).digest("hex").slice(0, 12));
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, input);
  return file;
}
