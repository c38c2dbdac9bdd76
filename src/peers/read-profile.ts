/** Profile files, of the package and of operators. */
import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { compileSchema, schemaProblems } from "../config/schema-problems.ts";
import { type Path, SourceFile } from "../config/source-file.ts";
import { StartError } from "../config/start-error.ts";
import type { Profile } from "./profile.ts";
import { endsOf, ProfileCatalogue } from "./profile-catalogue.ts";
import { profileSchema } from "./profile-schema.ts";
import { endsBefore, isInOrder } from "./version-range.ts";

// Compiled for the first file that is not ours: it takes longer than everything else at the start.
let compiled: ReturnType<typeof compileSchema> | null = null;
const SHIPPED = fileURLToPath(new URL("../../config/profiles/", import.meta.url));

/** Something that the schema cannot see. */
interface Problem {
  readonly path: Path;
  readonly text: string;
}

function* rangeProblems({ ranges }: Profile): Generator<Problem> {
  for (const [i, range] of ranges.entries()) {
    const ends = endsOf(range);
    const next = ranges[i + 1];
    if (!isInOrder(ends)) {
      yield {
        path: ["ranges", i, "to"],
        text: `a range cannot end at ${range.to} that begins at ${range.from}`,
      };
    }
    if (next !== undefined && !endsBefore(ends, endsOf(next))) {
      const where = `${range.to ?? "no end"} and ${next.from ?? "no beginning"}`;
      yield {
        path: ["ranges", i + 1],
        text: `each range must begin after the one before it ends (got ${where})`,
      };
    }
  }
}

/**
 * Adds the profile in a YAML or JSON file to those that are known, which it may extend.
 * @throws StartError of kind `config` with all that is wrong, a line each, with line and column.
 */
export function readProfile(file: string, known: ProfileCatalogue): ProfileCatalogue {
  const source = new SourceFile(file, "profile");
  const refuse = (problems: readonly string[]): void => {
    if (problems.length > 0) throw new StartError("config", problems.join("\n"));
  };
  compiled ??= compileSchema(profileSchema());
  refuse(schemaProblems(source, compiled));
  const profile = source.data as Profile;
  refuse([...rangeProblems(profile)].map(({ path, text }) => `${source.locate(path)}: ${text}`));
  const { role, extends: base } = profile;
  if (base !== undefined) said(source.locate(["extends"]), () => known.resolve(role, base));
  return said(source.locate(["peer"]), () => known.with(profile));
}

/** What the catalogue finds wrong, with its place in the file. */
function said<T>(where: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new StartError("config", `${where}: ${error.message}`, { cause: error });
  }
}

/** The profiles of this package, read each time. They are not validated: a test does that, and starts would be slower by a third of a second. */
export function shippedProfiles(): ProfileCatalogue {
  return shippedFiles().reduce(
    (known, file) => known.with(JSON.parse(readFileSync(file, "utf8")) as Profile),
    ProfileCatalogue.EMPTY,
  );
}

/**
 * The profiles of this package and those in `files`, of which each may extend what is there before it.
 * @throws StartError of kind `config` with all that is wrong with the first file that cannot be used, a line each.
 */
export function loadProfiles(files: readonly string[]): ProfileCatalogue {
  return files.reduce((known, file) => readProfile(file, known), shippedProfiles());
}

/** The files of the package's own profiles: none of them extends another. */
export function shippedFiles(): string[] {
  return globSync(`${SHIPPED}{clients,servers}/*.json`).sort((a, b) =>
    basename(a).localeCompare(basename(b)),
  );
}
