/** What the demo builds: a phrase book, small enough to read and large enough to need every kind of call. */
import type { Path } from "../../client/directories.ts";

/** One step of the build: a script for /bin/sh that makes outputs from inputs, as a genrule does. */
export interface Target {
  readonly name: string;
  /** Sources, or outputs of other targets; a directory stands for all that is in it. */
  readonly inputs: readonly Path[];
  readonly script: string;
  /** One file, or one directory. */
  readonly output: Path;
  readonly kind: "file" | "directory";
}

const NAMES = ["Ada", "Grace", "Katherine", "Margaret"];
const GREETINGS = { english: "Hello", french: "Bonjour", german: "Guten Tag" };
const LANGUAGES = Object.entries(GREETINGS);

/** More than a batch call takes, so that it travels as a stream. Text, to be handled by any shell and tool. */
const COVER = Array.from({ length: 80_000 }, (_, line) => `*~*~*~*~*~*~* cover ${line} *~*~*~*~*~*~*\n`).join(
  "",
);

const PAGES = Object.fromEntries(
  LANGUAGES.map(([language, greeting]) => [
    `pages/${language}.txt`,
    `--- ${language} ---\n${phrases(greeting)}`,
  ]),
);

function phrases(greeting: string): string {
  return NAMES.map((name) => `${greeting}, ${name}!\n`).join("");
}

/** The sources: content by path. */
export const SOURCES: Readonly<Record<Path, string>> = {
  "names.txt": `${NAMES.join("\n")}\n`,
  "binder.in": 'for part; do cat "$part"; done\n',
  "cover.txt": COVER,
};

/** The targets, each after those it depends on. */
export const TARGETS: readonly Target[] = [
  ...LANGUAGES.map(([language, greeting]) => ({
    name: `//phrases:${language}`,
    inputs: ["names.txt"],
    script: `while read -r name; do echo "${greeting}, $name!"; done < names.txt > ${language}.txt`,
    output: `${language}.txt`,
    kind: "file" as const,
  })),
  {
    name: "//tools:binder",
    inputs: ["binder.in"],
    script: `{ echo '#!/bin/sh'; cat binder.in; } > binder && chmod +x binder`,
    output: "binder",
    kind: "file",
  },
  {
    name: "//book:pages",
    inputs: LANGUAGES.map(([language]) => `${language}.txt`),
    script: `mkdir pages && for f in *.txt; do { echo "--- \${f%.txt} ---"; cat "$f"; } > "pages/$f"; done`,
    output: "pages",
    kind: "directory",
  },
  {
    name: "//book:book",
    inputs: ["binder", "pages", "cover.txt"],
    script: "./binder cover.txt pages/*.txt > book.txt",
    output: "book.txt",
    kind: "file",
  },
];

/** What every file that is built has to be: worked out here, without running any of the scripts. */
export const EXPECTED: Readonly<Record<Path, string>> = {
  ...Object.fromEntries(LANGUAGES.map(([language, greeting]) => [`${language}.txt`, phrases(greeting)])),
  binder: `#!/bin/sh\n${SOURCES["binder.in"]}`,
  ...PAGES,
  "book.txt": `${COVER}${Object.values(PAGES).join("")}`,
};
