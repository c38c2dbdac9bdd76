import { Status } from "../../wire/status.ts";
import type { Behaviour } from "./behaviour.ts";

/** The behaviour before clients that may not write results, or blobs: both end in PERMISSION_DENIED, and update_enabled says so of results. */
export function readOnly(behaviour: Behaviour, what: readonly ("cache" | "store")[]): Behaviour {
  const { announced, transfer } = behaviour;
  return {
    ...behaviour,
    ...(what.includes("cache") && {
      updateRefusal: Status.PERMISSION_DENIED,
      announced: { ...announced, updateEnabled: false },
    }),
    ...(what.includes("store") && { transfer: { ...transfer, readOnly: true } }),
  };
}
