import { VERSION } from "../../config/version.ts";
import type { Command } from "../command.ts";

/** `reapi-bridge version`. */
export const command: Command = {
  name: "version",
  summary: "print the version of the bridge and of the Node.js it runs on",
  about: "Prints the version of reapi-bridge and of the Node.js it runs on.",
  flags: [],
  run({ print }) {
    print(`reapi-bridge ${VERSION} (Node.js ${process.version})\n`);
    return Promise.resolve(0);
  },
};
