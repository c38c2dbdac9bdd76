import type { Kind } from "./kinds.ts";
import { ValueError } from "./value-error.ts";

/** Segments that the API keeps for itself in names that begin with an instance name (D14). */
const RESERVED: readonly string[] = [
  "blobs",
  "uploads",
  "actions",
  "actionResults",
  "operations",
  "capabilities",
  "compressed-blobs",
];

/** An instance name, or the whole segments that several begin with; empty for every one. */
export const instanceName: Kind<string> = {
  placeholder: "PREFIX",
  schema: { type: "string" },
  parse(text) {
    const segments = text === "" ? [] : text.split("/");
    if (segments.includes(""))
      throw new ValueError("must be segments with one slash between them: team/main");
    const reserved = segments.find((segment) => RESERVED.includes(segment));
    if (reserved !== undefined) throw new ValueError(`has the segment "${reserved}", which the API reserves`);
    return text;
  },
};

/** Whether `name` is `prefix` or continues it with whole segments. Every name is under the empty one. */
export function isUnder(prefix: string, name: string): boolean {
  return prefix === "" || name === prefix || name.startsWith(`${prefix}/`);
}
