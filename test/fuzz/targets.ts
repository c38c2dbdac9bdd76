import { connection } from "./connection.ts";
import { envelope } from "./envelope.ts";
import { frames } from "./frames.ts";
import { hpack } from "./hpack.ts";
import { resourceName } from "./resource-name.ts";
import type { FuzzTarget } from "./target.ts";
import { walker } from "./walker.ts";

/** Everything that is fuzzed. */
export const TARGETS: readonly FuzzTarget[] = [frames, connection, hpack, walker, envelope, resourceName];
