import { dirname, resolve } from "node:path";
import { valueAt } from "./file.ts";
import { Given } from "./given.ts";
import { instanceName } from "./instance-name.ts";
import { filePath, type Kind } from "./kinds.ts";
import { OPTIONS, type Option, type OptionName } from "./options.ts";
import { defaultOf, parsed, parseOption } from "./parse-option.ts";
import { listenAddress, profileName } from "./place-kinds.ts";
import { serviceNames } from "./service-names.ts";
import type { Path, SourceFile } from "./source-file.ts";
import { type ClientRule, DEFAULT_UPSTREAM, type Route } from "./types.ts";

/** What the file says in its sections: each value is right by itself, whether they fit together is not known yet. */
export interface Sections {
  readonly policy: Readonly<Record<string, string>>;
  readonly clients: readonly ClientRule[];
  readonly upstreams: ReadonlyMap<string, Given>;
  readonly routes: readonly Route[];
  /** Where the value at `path` stands, and its keys: `file:line:col: routes.upstream`. */
  place(path: Path): string;
}

/** What there is without a file. */
export const NO_SECTIONS: Sections = {
  policy: {},
  clients: [],
  upstreams: new Map(),
  routes: [],
  place: (path) => path.join("."),
};

/** The sections of a file that fits the schema. Problems of single values are added to `problems`, and the values are missing then. */
export function readSections(source: SourceFile, problems: string[]): Sections {
  const reader = new Reader(source, problems);
  return {
    policy: reader.section("policy", {}),
    clients: reader.clients(),
    upstreams: reader.upstreams(),
    routes: reader.routes(),
    place: (path) => source.place(path),
  };
}

interface RawRoute {
  readonly services?: readonly string[];
  readonly instance?: string;
  readonly upstream: string;
  readonly rename?: string;
}

class Reader {
  private readonly source: SourceFile;
  private readonly problems: string[];

  constructor(source: SourceFile, problems: string[]) {
    this.source = source;
    this.problems = problems;
  }

  /** A section as it stands there. */
  section<T>(name: string, otherwise: T): T {
    return (valueAt(this.source.data, [name]) as T | undefined) ?? otherwise;
  }

  clients(): ClientRule[] {
    return this.section<readonly Record<string, string>[]>("clients", []).map((raw, i) => {
      const read = <T>(key: string, kind: Kind<T>) => this.value(["clients", i, key], kind, raw[key]);
      return {
        listen: read("listen", listenAddress) ?? null,
        instance: read("instance", instanceName) ?? "",
        profile: read("profile", profileName) ?? "",
      };
    });
  }

  routes(): Route[] {
    return this.section<readonly RawRoute[]>("routes", []).map((raw, i) => {
      const path = ["routes", i];
      const services = raw.services?.flatMap(
        (text, j) => this.value([...path, "services", j], serviceNames, text) ?? [],
      );
      if (raw.rename !== undefined && raw.instance === undefined) {
        const where = this.source.place([...path, "rename"]);
        this.problems.push(`${where}: needs the instance that it replaces; instance: "" is every one`);
      }
      return {
        services: services === undefined ? null : [...new Set(services)],
        instance: this.value([...path, "instance"], instanceName, raw.instance) ?? "",
        upstream: raw.upstream,
        rename: this.value([...path, "rename"], instanceName, raw.rename) ?? null,
      };
    });
  }

  upstreams(): Map<string, Given> {
    const raw = Object.entries(this.section<Record<string, unknown>>("upstreams", {}));
    return new Map(raw.map(([name, value]) => [name, this.upstream(name, value)]));
  }

  private upstream(name: string, raw: unknown): Given {
    if (!/^[a-z][a-z0-9-]*$/.test(name) || name === DEFAULT_UPSTREAM) {
      const why =
        name === DEFAULT_UPSTREAM ? "is what routes call upstream" : "must be lower case with hyphens";
      this.problems.push(
        `${this.source.locateKey(["upstreams"], name)}: upstreams: the name "${name}" ${why}`,
      );
    }
    const given = new Given(true);
    for (const [option, { key, ...rest }] of Object.entries(OPTIONS) as [OptionName, Option][]) {
      if (!key.startsWith("upstream.")) continue;
      const short = typeof raw === "string" && option === "upstream";
      const path = ["upstreams", name, ...(short ? [] : [key.slice("upstream.".length)])];
      const value = valueAt(this.source.data, path);
      const relative = rest.kind === filePath;
      const text = relative ? resolve(dirname(this.source.file), String(value)) : String(value);
      const from =
        value === undefined ? defaultOf({ key, ...rest }) : [{ text, where: this.source.place(path) }];
      if (from === undefined) continue;
      given.set(option, parseOption({ key, ...rest }, from, this.problems), from[0]?.where ?? "");
    }
    return given;
  }

  private value<T>(path: Path, kind: Kind<T>, text: string | undefined): T | undefined {
    if (text === undefined) return undefined;
    return parsed((one) => kind.parse(one), { text, where: this.source.place(path) }, this.problems);
  }
}
