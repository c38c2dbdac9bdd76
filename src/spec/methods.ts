/** The methods of the API: the Remote Execution, Asset and LogStream services, ByteStream and Operations. */

import type { MessageName } from "./codec.ts";
import table from "./generated/methods.json" with { type: "json" };
import type { ElementId } from "./ledger.ts";

/** One method. Its shape has been the same in every level that has it. */
export interface Method {
  /** The `:path` of its calls, `/package.Service/Method`. */
  path: string;
  /** Its entry in the ledger, which knows since which level it exists. */
  element: ElementId;
  request: MessageName;
  response: MessageName;
  clientStreaming: boolean;
  serverStreaming: boolean;
}

const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries(table).map(([path, line]) => {
    const element = path.slice(1).replace("/", ".");
    return [path, Object.freeze({ path, element, ...line }) as Method];
  }),
);

/** The method with this `:path`, or undefined: the bridge relays methods it does not know (D59). */
export function methodAt(path: string): Method | undefined {
  return methods.get(path);
}

/** All methods, sorted by path. */
export function allMethods(): Iterable<Method> {
  return methods.values();
}
