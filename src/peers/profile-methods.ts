/** The methods that a profile says a server lacks. */
import { allMethods } from "../spec/methods.ts";
import type { ResolvedServer } from "./profile.ts";

/** Paths of the methods that are missing whatever the configuration. */
export function missingMethods({ facts }: ResolvedServer): ReadonlySet<string> {
  return new Set(facts.missingMethods?.are.flatMap(pathsOf));
}

/** Whether the method is missing whatever the configuration. */
export function isMissing(server: ResolvedServer, path: string): boolean {
  return missingMethods(server).has(path);
}

/** Whether calls of the method may end in UNIMPLEMENTED: it is missing, or optional, or nothing is said about methods. */
export function mayLack(server: ResolvedServer, path: string): boolean {
  const { missingMethods: missing, optionalMethods: optional } = server.facts;
  if (missing === undefined) return true;
  return [...missing.are, ...(optional?.are ?? [])].flatMap(pathsOf).includes(path);
}

/** Paths of a method as profiles write it: `ContentAddressableStorage/GetTree`, or `Fetch/*` for all of a service. */
export function pathsOf(pattern: string): string[] {
  const paths = [...allMethods()].map(({ path }) => path);
  const [service, method] = pattern.split("/");
  return paths.filter(
    (path) => path.includes(`.${service}/`) && (method === "*" || path.endsWith(`/${method}`)),
  );
}
