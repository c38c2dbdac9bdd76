/** What may be kept and shared (D38, D43), and what makes a key of it. */
import { file, type ShapeFacts } from "./shape.ts";

const MADE = { script: "echo made > out.txt", outputs: { "out.txt": file("made\n") } } as const;

/** The shapes. */
export const CACHING_SHAPES = {
  "do-not-cache": {
    title: "an action that is not to be cached",
    ...MADE,
    spec: { doNotCache: true },
    cacheable: false,
  },
  "skip-cache-lookup": {
    title: "an action that is to run anew",
    ...MADE,
    spec: { skipCacheLookup: true },
    cacheable: false,
  },
  salt: { title: "an action with a salt", ...MADE, spec: { salt: "a namespace of its own" } },
  unsorted: {
    title: "lists that are not sorted, which the API wants them to be",
    script: "echo a > a.txt; echo b > b.txt",
    outputs: { "b.txt": file("b\n"), "a.txt": file("a\n") },
    spec: { asGiven: true, environment: { ZEBRA: "z", APPLE: "a" } },
  },
} as const satisfies Readonly<Record<string, ShapeFacts>>;
