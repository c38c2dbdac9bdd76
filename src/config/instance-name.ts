import { RESERVED_SEGMENTS, RESERVED_SINCE_2_3 } from "../wire/reserved-segments.ts";
import type { Kind } from "./kinds.ts";
import { ValueError } from "./value-error.ts";

/** An instance name, or the whole segments that several begin with; empty for every one. */
export const instanceName: Kind<string> = {
  placeholder: "PREFIX",
  schema: { type: "string" },
  parse(text) {
    const segments = text === "" ? [] : text.split("/");
    if (segments.includes(""))
      throw new ValueError("must be segments with one slash between them: team/main");
    const reserved = segments.find(
      (segment) => RESERVED_SEGMENTS.includes(segment) || segment === RESERVED_SINCE_2_3,
    );
    if (reserved !== undefined) throw new ValueError(`has the segment "${reserved}", which the API reserves`);
    return text;
  },
};

/** Whether `name` is `prefix` or continues it with whole segments. Every name is under the empty one. */
export function isUnder(prefix: string, name: string): boolean {
  return prefix === "" || name === prefix || name.startsWith(`${prefix}/`);
}
