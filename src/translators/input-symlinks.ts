import type { PeerFacts, Support } from "../peers/dialect.ts";
import { DirectoryField } from "../tree/directory.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { assumed, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Edit, Translator } from "./translator.ts";

/** SymlinkNode.target, and FileNode.hardlink_salt of a proposal (P14). */
const TARGET = 2;
const HARDLINK_SALT = 7;

/**
 * Symlinks in the input tree (D34). Until 2.2 their targets had to be in canonical form, but no server is known to insist, so only a profile makes one strict:
 * of this, or of all that is hashed. Such a server gets targets without empty and single-dot segments, which lead to the same place, and no wishes
 * about hard links, which change nothing about what an action sees (P14). Names that differ only by case are for the worker to judge (D35).
 */
export const inputSymlinks: Translator = {
  feature: {
    id: "input-symlinks",
    title: "Symlinks in inputs",
    since: "2.2",
    drift: ["D34", "D35", "P14"],
    why: "Servers differ in which targets and names they take.",
    forms: {
      strict: "targets in canonical form, nothing said about hard links",
      lenient: "targets as they are",
    },
  },
  owns: [
    "behaviour:lenient-symlink-targets",
    "behaviour:case-only-names",
    ...of("Directory", "symlinks"),
    ...of("SymlinkNode", "name", "target"),
    ...of("CacheCapabilities", "symlink_absolute_path_strategy"),
    ...of("SymlinkAbsolutePathStrategy.Value", "UNKNOWN", "DISALLOWED", "ALLOWED"),
  ],
  after: ["node-properties"],
  clientAhead: "a strict server gets targets in canonical form; others take them as they are",
  serverAhead: "passes: canonical targets are taken everywhere",
  support,
  assume: {
    client: assumed(["lenient"], ["lenient"]),
    server: assumed(["lenient", "strict"], ["lenient"]),
  },
  toServer: {
    lenient: { strict: { kind: "translate", content: { directory: canonical } } },
    strict: { lenient: pass("canonical targets are taken everywhere") },
  },
  toClient: pass("input trees go to the server only"),
};

/** A server that is strict about all that is hashed is so about targets. */
function support({ role, claims }: PeerFacts): Support | null {
  const claim = claims.find(({ feature, reads }) => feature === "strict-canonical" && reads !== undefined);
  if (role !== "server" || claim?.reads?.includes("lenient") !== false) return null;
  return { reads: ["strict"], writes: ["strict"], evidence: claim.evidence };
}

function canonical(directory: Buffer): Edit {
  return rewriteMessage(new Walker(directory), (field, out) => {
    if (field.wireType !== WireType.LEN) return "keep";
    if (field.number === DirectoryField.symlinks)
      return rewriteField(field, out, (node, changed) => {
        if (node.number !== TARGET || node.wireType !== WireType.LEN) return "keep";
        const target = node.bytes().toString("latin1");
        const collapsed = collapse(target);
        if (collapsed === target) return "keep";
        changed.bytes(TARGET, Buffer.from(collapsed, "latin1"));
        return "drop";
      });
    if (field.number === DirectoryField.files)
      return rewriteField(field, out, ({ number }) => (number === HARDLINK_SALT ? "drop" : "keep"));
    return "keep";
  });
}

/** Two slashes in front may mean something of their own to a system; `..` leads elsewhere where what is before it is a link. */
function collapse(target: string): string {
  const [front] = /^(?:\/\/+)?/.exec(target)!;
  return front + target.slice(front.length).replace(/\/(?:\.?\/)+/g, "/");
}
