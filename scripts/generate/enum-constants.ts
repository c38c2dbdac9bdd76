/** TypeScript constants for the enums of the newest version. */
import type { History } from "./history.ts";

/** The text of `src/spec/generated/enums.ts`: one object, enum name → value name → number. */
export function enumConstants(history: History): string {
  const enums = new Map<string, [string, number][]>();
  for (const [name, element] of history.elements) {
    if (element.kind !== "enumValue" || element.lastPresent !== null || element.enum === undefined) continue;
    const key = enumName(element.enum);
    const values = enums.get(key) ?? [];
    values.push([name.slice(element.enum.length + 1), element.number ?? 0]);
    enums.set(key, values);
  }
  const entries = [...enums].sort(([a], [b]) => (a < b ? -1 : 1));
  const blocks = entries.map(([name, values]) => {
    const lines = values.sort(([, a], [, b]) => a - b).map(([value, number]) => `    ${value}: ${number},`);
    return `  ${name}: {\n${lines.join("\n")}\n  },`;
  });
  return `// Written by scripts/generate.ts from spec-data; do not edit.

/** Every enum of the API in its newest state. Peers may send numbers that are not listed. */
export const enums = {
${blocks.join("\n")}
} as const;
`;
}

/** `…v2.DigestFunction.Value` is known as DigestFunction, `…v2.Command.OutputDirectoryFormat` as OutputDirectoryFormat. */
function enumName(full: string): string {
  const parts = full.split(".");
  return (parts.at(-1) === "Value" ? parts.at(-2) : parts.at(-1)) ?? full;
}
