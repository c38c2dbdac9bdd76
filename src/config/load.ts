import { dirname, resolve } from "node:path";
import { buildConfig } from "./build.ts";
import { didYouMean } from "./did-you-mean.ts";
import { type FileValue, readConfigFile } from "./file.ts";
import { Given } from "./given.ts";
import { filePath } from "./kinds.ts";
import { ALL_OPTIONS, OPTIONS, type Option, type OptionName, variableOf } from "./options.ts";
import { StartError } from "./start-error.ts";
import type { Config } from "./types.ts";
import { ValueError } from "./value-error.ts";

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

/** One value as text, and who gave it. */
type Source = FileValue;

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

function fromDefault(option: Option): Source[] | undefined {
  return option.default === undefined ? undefined : [{ text: option.default, where: "" }];
}

function readFileValues(file: string): ReadonlyMap<string, readonly Source[]> {
  const paths = new Set(ALL_OPTIONS.filter((option) => option.kind === filePath).map((option) => option.key));
  const values = new Map(readConfigFile(file));
  for (const [key, sources] of values) {
    // Paths in a file are relative to it, so that the folder can be moved.
    if (paths.has(key))
      values.set(
        key,
        sources.map((s) => ({ ...s, text: resolve(dirname(file), s.text) })),
      );
  }
  return values;
}

function parse(option: Option, sources: readonly Source[], problems: string[]): unknown {
  const values: unknown[] = [];
  for (const { text, where } of sources) {
    try {
      values.push(option.kind.parse(text));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      problems.push(error.sentence(where, text));
    }
  }
  return option.list ? values : values[0];
}

/**
 * The configuration from all sources: flag over variable over file over default. A list comes from one source as a whole.
 * Throws a `StartError` of kind `config` that lists all that is wrong, a line each.
 */
export function loadConfig(sources: ConfigSources): Config {
  const { flags, env, terminal } = sources;
  const file = flags.get("config")?.[0] ?? (env[CONFIG_VARIABLE] || undefined);
  const fileValues = file === undefined ? undefined : readFileValues(file);
  const problems = unknownVariables(env);
  const given = new Given();
  for (const [name, option] of Object.entries(OPTIONS) as [OptionName, Option][]) {
    const from =
      fromFlag(option, flags) ??
      fromVariable(option, env) ??
      fileValues?.get(option.key) ??
      fromDefault(option);
    if (from !== undefined) given.set(name, parse(option, from, problems), from[0]?.where ?? "");
  }
  // What belongs together is only judged once each value is right by itself.
  if (problems.length > 0) throw new StartError("config", problems.join("\n"));
  return buildConfig(given, terminal);
}
