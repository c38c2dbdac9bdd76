/** `npm run generate:reference` writes what follows from the options, the commands, the metrics and the translators. A test compares it. */
import { writeFileSync } from "node:fs";
import { referenceFiles } from "./reference/files.ts";

for (const [path, text] of await referenceFiles()) writeFileSync(path, text);
