/** Comments for generated `.proto` files: what a thing is, since when it is there, and which drift items speak of it. */
import { readFileSync } from "node:fs";
import type { History } from "./history.ts";
import type { LedgerLine } from "./ledger.ts";
import type { Declaration, Member } from "./proto-declarations.ts";

/** One comment line each, or null where there is nothing to say. */
export interface CommentSource {
  declaration(declaration: Declaration): string | null;
  member(member: Member, owner: Declaration): string | null;
}

/** What the line of a member is made of. */
interface Facts {
  since: string | null;
  notes: string[];
  drift: string[];
}

/**
 * Comments as seen from a version: what came later is not mentioned, what goes away later is. What all members of a declaration have
 * in common stands above the declaration, and not again at each member.
 */
export function protoComments(
  history: History,
  version: string,
  ledger: Record<string, LedgerLine>,
): CommentSource {
  const descriptions: Record<string, string> = JSON.parse(
    readFileSync(new URL("../../spec-data/descriptions.json", import.meta.url), "utf8"),
  );
  const isPast = (id: string): boolean => history.rank(id) <= history.rank(version);

  const factsOf = ({ name, form }: Member): Facts => {
    const element = history.elements.get(name);
    const id = element?.renamedTo ?? name;
    const line = ledger[`${id}@${form.number}`] ?? ledger[id];
    if (element === undefined || line === undefined) throw new Error(`the ledger lacks ${name}`);
    const { renamedFrom, deprecated, supersededBy, legacy, movedTo, movedFrom } = element;
    const notes: string[] = [];
    if (renamedFrom && last(renamedFrom) !== last(name)) {
      notes.push(`called ${last(renamedFrom)} before ${element.introduced}`);
    }
    if (deprecated && isPast(deprecated)) {
      notes.push(`deprecated since ${deprecated} for ${local(supersededBy ?? "")}`);
    }
    if (legacy && isPast(legacy.since))
      notes.push(`second to ${last(legacy.preferred)} since ${legacy.since}`);
    if (line.until) notes.push(`until ${line.until}${movedTo ? `, then ${local(movedTo)}` : ""}`);
    if (movedFrom) notes.push(`before, ${local(movedFrom)}`);
    return {
      since: line.since === history.versions[0]?.id ? null : line.since,
      notes,
      drift: line.drift ?? [],
    };
  };

  const commonOf = ({ members }: Declaration): { since: string | null; drift: string[] } => {
    const [first, ...rest] = members.map(factsOf);
    if (first === undefined) return { since: null, drift: [] };
    return {
      since: rest.every(({ since }) => since === first.since) ? first.since : null,
      drift: first.drift.filter((item) => rest.every(({ drift }) => drift.includes(item))),
    };
  };

  return {
    declaration(declaration) {
      const { since, drift } = commonOf(declaration);
      const { renamedFrom, introduced } = history.elements.get(declaration.name) ?? {};
      return sentence(descriptions[declaration.name], [
        since && `since ${since}`,
        renamedFrom && `called ${local(renamedFrom)} before ${introduced}`,
        drift.length > 0 && `see ${drift.join(", ")}`,
      ]);
    },
    member(member, owner) {
      const common = commonOf(owner);
      const { since, notes, drift } = factsOf(member);
      const own = drift.filter((item) => !common.drift.includes(item));
      return sentence(descriptions[member.name], [
        since !== common.since && `since ${since}`,
        ...notes,
        own.length > 0 && `see ${own.join(", ")}`,
      ]);
    },
  };
}

/** The description, and the parts that are there as one more sentence; null if nothing is there. */
function sentence(
  description: string | undefined,
  parts: (string | false | null | undefined)[],
): string | null {
  const text = parts.filter(Boolean).join("; ");
  const facts = text && `${text[0]?.toUpperCase()}${text.slice(1)}.`;
  return [description, facts].filter(Boolean).join(" ") || null;
}

function last(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Without the package: `Command.output_paths`. */
function local(name: string): string {
  return name.replace(/^[a-z0-9.]*\./, "");
}
