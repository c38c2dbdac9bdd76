/**
 * The ledger: since which level every field, enum value, method and named behaviour exists.
 *
 * It counts what is on the wire. An element that was only renamed (D04) is one entry, under its newest name, since its oldest form.
 * A field that was renumbered or retyped has one entry for each form: the newest under its name, an earlier one as `name@number`
 * (D31). Behaviours, which no schema shows, are `behaviour:` and a name. The facts are in `spec-data/`.
 */
import lines from "./generated/ledger.json" with { type: "json" };
import { atLeast, type Level } from "./versions.ts";

/** What the ledger has an entry for, for instance `build.bazel.remote.execution.v2.Command.output_paths` or `behaviour:argv0`. */
export type ElementId = keyof typeof lines;

/** One entry. */
export interface LedgerEntry {
  kind: "field" | "enumValue" | "method" | "behaviour";
  /** First level that has it. */
  since: Level;
  /** First level that has it no more; absent while it is part of the API. */
  until?: Level;
  /** The drift items that speak of it. Absent where nothing about it ever differed. */
  drift?: readonly string[];
  /** Full names it had at earlier levels. */
  formerly?: readonly string[];
  /** What it is, in one line; only behaviours have it. */
  title?: string;
}

const entries = lines as unknown as Readonly<Record<string, LedgerEntry>>;

/**
 * The entry of an element.
 * @throws RangeError for a name the ledger lacks, so that a misspelt one is never taken for a thing no level knows.
 */
export function ledgerEntry(element: ElementId): LedgerEntry {
  const entry = Object.hasOwn(entries, element) ? entries[element] : undefined;
  if (entry === undefined) throw new RangeError(`the ledger has no element called ${element}`);
  return entry;
}

/** The first level that has the element. @throws RangeError as {@link ledgerEntry}. */
export function since(element: ElementId): Level {
  return ledgerEntry(element).since;
}

/** Whether a level has the element: introduced, and not gone again. @throws RangeError as {@link ledgerEntry}. */
export function knows(level: Level, element: ElementId): boolean {
  const { since: first, until } = ledgerEntry(element);
  return atLeast(level, first) && !(until !== undefined && atLeast(level, until));
}

/** Every element of the ledger, sorted. */
export function allElements(): readonly ElementId[] {
  return Object.keys(entries) as ElementId[];
}
