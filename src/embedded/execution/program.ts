/** Finds the program that a command names (D39). */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import type { ActionRules } from "../behaviour/behaviour.ts";
import { invalid } from "./failure.ts";
import { quote } from "./paths.ts";

type Base = ActionRules["programBase"];

/** Where a program is looked for. */
export interface ProgramPlaces {
  /** The input root. */
  readonly root: string;
  /** The directory the command runs in; absolute. */
  readonly cwd: string;
  /** `PATH` as the command sets it; without one that of this process counts. */
  readonly searchPath: string | undefined;
}

/**
 * The absolute path of the program `argument`, the first one of a command, names. Absolute paths stay. With the working directory as base,
 * as since 2.3, a path with a slash starts there and a bare name is looked up in PATH; else either starts at the input root.
 * @throws CallError INVALID_ARGUMENT if there is no such program.
 */
export async function findProgram(argument: string, places: ProgramPlaces, base: Base): Promise<string> {
  for (const candidate of candidates(argument, places, base)) {
    if (await isProgram(candidate)) return candidate;
  }
  throw invalid("arguments[0]", `there is no program ${quote(argument)}${whereSought(argument, base)}`);
}

function candidates(argument: string, { root, cwd, searchPath }: ProgramPlaces, base: Base): string[] {
  if (isAbsolute(argument)) return [argument];
  if (base === "input-root") return [join(root, argument)];
  if (argument.includes("/")) return [join(cwd, argument)];
  const { PATH = "" } = process.env;
  const path = searchPath ?? PATH;
  return path.split(":").map((directory) => join(resolve(cwd, directory), argument));
}

function whereSought(argument: string, base: Base): string {
  if (isAbsolute(argument)) return "";
  if (base === "input-root") {
    return " below the input root, where an API before 2.3 has programs start; give an absolute path";
  }
  return argument.includes("/") ? " below the working directory" : " in PATH";
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
