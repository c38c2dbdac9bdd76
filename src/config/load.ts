import { dirname, resolve } from "node:path";
import { buildConfig } from "./build.ts";
import { didYouMean } from "./did-you-mean.ts";
import { type ConfigFile, readConfigFile } from "./file.ts";
import { Given } from "./given.ts";
import { filePath } from "./kinds.ts";
import { ALL_OPTIONS, OPTIONS, type Option, type OptionName, variableOf } from "./options.ts";
import { defaultOf, parseOption, type Source } from "./parse-option.ts";
import { NO_SECTIONS, readSections } from "./sections.ts";
import { StartError } from "./start-error.ts";
import type { Config } from "./types.ts";

/** Where options come from, the strongest first; the configuration file is named by the flag `config` or `REAPI_BRIDGE_CONFIG`. */
export interface ConfigSources {
  /** Flags by name, without dashes. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person reads the log: decides its format when nobody else does. */
  readonly terminal: boolean;
}

const PREFIX = "REAPI_BRIDGE_";
const CONFIG_VARIABLE = `${PREFIX}CONFIG`;
// Kubernetes sets these for every service of the namespace, and a service called reapi-bridge is the natural thing.
const SERVICE_LINK =
  /(^|_)(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

function unknownVariables(env: ConfigSources["env"]): string[] {
  const known = [CONFIG_VARIABLE, ...ALL_OPTIONS.map(variableOf)];
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .filter((name) => !SERVICE_LINK.test(name.slice(PREFIX.length)))
    .map((name) => `${name}: there is no such variable${didYouMean(name, known)}`);
}

function fromFlag(option: Option, flags: ConfigSources["flags"]): Source[] | undefined {
  return flags.get(option.name)?.map((text) => ({ text, where: `--${option.name}` }));
}

function fromVariable(option: Option, env: ConfigSources["env"]): Source[] | undefined {
  const where = variableOf(option);
  const text = env[where];
  // An empty variable is how scripts and manifests say "not set".
  if (text === undefined || text === "") return undefined;
  return (option.list ? text.split(",") : [text]).map((part) => ({ text: part.trim(), where }));
}

/** Paths in a file are relative to it, so that the folder can be moved. */
function resolvedPaths({ values, source }: ConfigFile): ReadonlyMap<string, readonly Source[]> {
  const paths = new Set(ALL_OPTIONS.filter((option) => option.kind === filePath).map((option) => option.key));
  const folder = dirname(source.file);
  const resolved = (from: Source): Source => ({ ...from, text: resolve(folder, from.text) });
  return new Map([...values].map(([key, from]) => [key, paths.has(key) ? from.map(resolved) : from]));
}

/**
 * The configuration from all sources: flag over variable over file over default. A list comes from one source as a whole.
 * Throws a `StartError` of kind `config` that lists all that is wrong, a line each.
 */
export function loadConfig(sources: ConfigSources): Config {
  const { flags, env, terminal } = sources;
  const file = flags.get("config")?.[0] ?? (env[CONFIG_VARIABLE] || undefined);
  const read = file === undefined ? undefined : readConfigFile(file);
  const fileValues = read && resolvedPaths(read);
  const problems = unknownVariables(env);
  const given = new Given();
  for (const [name, option] of Object.entries(OPTIONS) as [OptionName, Option][]) {
    const from =
      fromFlag(option, flags) ??
      fromVariable(option, env) ??
      fileValues?.get(option.key) ??
      defaultOf(option);
    if (from !== undefined) given.set(name, parseOption(option, from, problems), from[0]?.where ?? "");
  }
  const sections = read === undefined ? NO_SECTIONS : readSections(read.source, problems);
  // What belongs together is only judged once each value is right by itself.
  if (problems.length > 0) throw new StartError("config", problems.join("\n"));
  return buildConfig(given, sections, terminal);
}
