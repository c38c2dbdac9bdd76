/** Segments of names that the API keeps for itself: no instance name may have one (drift.md D14). */

/** Since 2.0. */
export const RESERVED_SEGMENTS: readonly string[] = [
  "blobs",
  "uploads",
  "actions",
  "actionResults",
  "operations",
  "capabilities",
];

/** Since 2.3, besides. */
export const RESERVED_SINCE_2_3 = "compressed-blobs";
