/** ActionCacheUpdateCapabilities.update_enabled in capabilities (D52). */
import { rewriteField } from "../../wire/rewrite.ts";
import { WireType } from "../../wire/walker.ts";
import { editCachePart } from "../announce/cache-part.ts";
import { UPDATE_ACTION_RESULT } from "../methods.ts";
import type { Announcement, Edit, Pair } from "../translator.ts";

/** CacheCapabilities.action_cache_update_capabilities, and update_enabled in it. */
const UPDATES = 2;
const ENABLED = 1;

/**
 * The lens: a client that stops where it may not write is told that it may, as its writes are answered whatever becomes of them; every other one is told
 * that it may not where the server is known to lack the method.
 */
export function announceWrites({ bytes, pair }: Announcement): Edit {
  const needed = isNeeded(pair);
  if (!needed && !isLacking(pair)) return null;
  let said = false;
  return editCachePart(
    bytes,
    (field, out) => {
      if (field.number !== UPDATES || field.wireType !== WireType.LEN) return "keep";
      const updates = field.enter();
      while (updates.next())
        if (updates.number === ENABLED && updates.wireType === WireType.VARINT) said = updates.bool();
      if (said === needed) return "keep";
      said = needed;
      return rewriteField(
        field,
        out,
        ({ number }) => (number === ENABLED ? "drop" : "keep"),
        (enabled) => {
          if (needed) enabled.varint(ENABLED, true);
        },
      );
    },
    (out) => {
      if (needed && !said) out.message(UPDATES, [Buffer.from([ENABLED << 3, 1])]);
    },
  );
}

/** Whether the lens runs for a pair that agrees. */
export function saysWrites(pair: Pair): boolean {
  return isNeeded(pair) || isLacking(pair);
}

function isNeeded({ client }: Pair): boolean {
  return client.features["cache-writes"]?.writes.includes("needed") === true;
}

function isLacking({ server }: Pair): boolean {
  return server.missingMethods.includes(UPDATE_ACTION_RESULT);
}
