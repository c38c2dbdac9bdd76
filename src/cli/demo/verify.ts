import type { Path } from "../../client/directories.ts";
import type { RemoteStore } from "../../client/remote-store.ts";
import type { BuiltTarget } from "./build.ts";
import { BuildError } from "./build-error.ts";

/**
 * Downloads everything the targets made and compares it with what it has to be.
 * @throws BuildError that names the first file that is missing, surplus or different; CallFailed.
 */
export async function verifyOutputs(
  built: readonly BuiltTarget[],
  expected: Readonly<Record<Path, string>>,
  store: Pick<RemoteStore, "read">,
): Promise<void> {
  const files = new Map(built.flatMap((target) => [...target.files]));
  const contents = await store.read([...files.values()].map(({ digest }) => digest));
  const made = new Map([...files.keys()].map((path, index) => [path, contents[index]!.toString()]));
  for (const [path, content] of Object.entries(expected)) {
    if (!made.has(path)) throw new BuildError(`the file ${path} was not built`);
    if (made.get(path) !== content) throw new BuildError(`the file ${path} is not what it should be`);
  }
  const surplus = [...made.keys()].find((path) => !Object.hasOwn(expected, path));
  if (surplus !== undefined) throw new BuildError(`the file ${surplus} was built, but by no target`);
}

/**
 * Checks that the first build ran every action and the second one none.
 * @throws BuildError that names the first target of which that is not true.
 */
export function verifyCaching(first: readonly BuiltTarget[], second: readonly BuiltTarget[]): void {
  const known = first.find(({ cached }) => cached);
  if (known !== undefined) throw new BuildError(`an empty server had a result for ${known.target.name}`);
  const again = second.find(({ cached }) => !cached);
  if (again !== undefined) throw new BuildError(`${again.target.name} ran again in the second build`);
}
