import type { NotBuilt } from "./not-built.ts";

/** Negotiation, names and headers (drift items D01 to D14, D58, D59). */
export const NEGOTIATION: readonly NotBuilt[] = [
  {
    id: "strict-canonical",
    title: "Unknown fields in messages that are hashed",
    since: "2018-11",
    drift: ["D03"],
    why: "A strict reader refuses messages with fields of a later revision.",
    owns: ["behaviour:canonical-encoding"],
    older: ["lenient", "fields the reader does not know are skipped"],
    newer: ["strict", "fields the reader does not know are an error"],
    marker: null,
    clientAhead: "a reader that skips unknown fields takes strict messages as well",
    serverAhead: "a strict server answers with an error of its own; nothing is lost",
  },
];
