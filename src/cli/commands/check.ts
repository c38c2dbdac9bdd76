import { loadConfig } from "../../config/load.ts";
import { StartError } from "../../config/start-error.ts";
import type { Config } from "../../config/types.ts";
import { readSettings, type Settings } from "../../plan/settings.ts";
import { tlsFileProblems } from "../../proxy/tls-files.ts";
import type { Command } from "../command.ts";
import { SERVE_FLAGS } from "../serve-flags.ts";
import { settingsText } from "../settings-text.ts";

const ABOUT = `\
Says what the bridge makes of its flags, variables and configuration file, of the profiles they name and
of its TLS files, or all that is wrong with them. It listens nowhere and connects to nobody.

  reapi-bridge check --config bridge.yaml`;

/** `reapi-bridge check`: what `serve` would refuse at its start is refused here, in the same words. */
export const command: Command = {
  name: "check",
  summary: "check the configuration without starting, and show what it means",
  about: ABOUT,
  flags: SERVE_FLAGS,
  run({ flags, env, print }) {
    const config = loadConfig({ flags, env, terminal: false });
    const settings = settingsOf(config);
    print(`${settingsText(config, settings)}\nall is well\n`);
    return Promise.resolve(0);
  },
};

/** Names and TLS files have nothing to do with each other: what is wrong with either is told at once. */
function settingsOf(config: Config): Settings {
  const problems = tlsFileProblems(config);
  try {
    const settings = readSettings(config);
    if (problems.length === 0) return settings;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    problems.unshift(error.message);
  }
  throw new StartError("config", problems.join("\n"));
}
