import type { BoundHead, MethodPlan } from "../../plan/plan.ts";
import { type HeadRewrite, headEditor, rewriteHead } from "../messages/head-rewriter.ts";
import type { FilterMaker } from "../messages/relay-filter.ts";
import { ScanObserver, scanRequest } from "../messages/request-scan.ts";

/**
 * The filter that does to relayed requests what a plan wants: scans first, then the rewriting of one field of the first message, by
 * all who want to in turn. Undefined where nothing is wanted; null where different fields are, which only opened messages allow.
 */
export function relayFilterOf({ heads, scans, uses }: MethodPlan): FilterMaker | null | undefined {
  const [head] = heads;
  if (heads.some(({ field }) => field !== head!.field)) return null;
  const watched = scans.length > 0 || uses !== null;
  const visitors = () => [...scans.map((make) => make()), ...(uses === null ? [] : [uses.scan()])];
  if (head === undefined) {
    if (!watched) return undefined;
    if (uses === null || scans.length > 0) return scanRequest(visitors);
    return Object.assign(scanRequest(visitors), {
      look: uses.look.bind(uses),
      observe: () => new ScanObserver(() => uses.scan()),
    });
  }
  const rewrite = inTurn(heads);
  if (!watched) return rewriteHead(head.field, rewrite);
  return scanRequest(visitors, headEditor(head.field, rewrite));
}

function inTurn(heads: readonly BoundHead[]): HeadRewrite {
  return (value) => heads.reduce<Buffer | null>((current, head) => head.rewrite(current), value);
}
