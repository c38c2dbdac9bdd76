/** Finds the program that a command names (D39). */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { invalid } from "./failure.ts";
import { quote } from "./paths.ts";

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
 * The absolute path of the program `argument`, the first one of a command, names. Absolute paths stay. Since 2.3 a path with a slash starts
 * at the working directory and a bare name is looked up in PATH; before, either starts at the input root.
 * @throws CallError INVALID_ARGUMENT if there is no such program.
 */
export async function findProgram(argument: string, places: ProgramPlaces, level: Level): Promise<string> {
  for (const candidate of candidates(argument, places, level)) {
    if (await isProgram(candidate)) return candidate;
  }
  throw invalid("arguments[0]", `there is no program ${quote(argument)}${whereSought(argument, level)}`);
}

function candidates(argument: string, { root, cwd, searchPath }: ProgramPlaces, level: Level): string[] {
  if (isAbsolute(argument)) return [argument];
  if (!knows(level, "behaviour:argv0")) return [join(root, argument)];
  if (argument.includes("/")) return [join(cwd, argument)];
  const { PATH = "" } = process.env;
  const path = searchPath ?? PATH;
  return path.split(":").map((directory) => join(resolve(cwd, directory), argument));
}

function whereSought(argument: string, level: Level): string {
  if (isAbsolute(argument)) return "";
  if (!knows(level, "behaviour:argv0")) {
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
