/** Names of operations that carry what any replica of the bridge needs to find them again (drift.md R7). */

/** What a name carries. Members that a later version adds are kept for whoever knows them. */
export interface OperationTag {
  /** The upstream that runs it, by the name that routes have for it. */
  readonly route: string;
}

const MARK = "/rb1/";
/** Characters of a tag that are looked at; names come from clients. */
const MOST = 4096;

/** The upstream's name with the tag behind it. */
export function tagOperation(name: string, tag: OperationTag): string {
  return `${name}${MARK}${Buffer.from(JSON.stringify(tag)).toString("base64url")}`;
}

/** The upstream's own name, and the tag; null for a name without one, which is the upstream's as it is. */
export function untagOperation(name: string): { readonly name: string; readonly tag: OperationTag | null } {
  const at = name.lastIndexOf(MARK);
  if (at < 0 || name.length - at > MOST) return { name, tag: null };
  const tag = readTag(name.slice(at + MARK.length));
  return tag === null ? { name, tag } : { name: name.slice(0, at), tag };
}

function readTag(text: string): OperationTag | null {
  try {
    const tag: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    const { route } = (tag ?? {}) as Partial<OperationTag>;
    return typeof route === "string" ? { ...(tag as object), route } : null;
  } catch {
    return null;
  }
}
