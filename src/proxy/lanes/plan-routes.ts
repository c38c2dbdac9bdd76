import type { MethodPlan, Plan } from "../../plan/plan.ts";
import { announce } from "../../plan/run-hooks.ts";
import { GET_CAPABILITIES } from "../../translators/methods.ts";
import type { UpstreamDialect } from "../../upstream/dialect.ts";
import type { Route, Routes } from "../messages/route.ts";
import { relayFilterOf } from "./relay-filter-of.ts";
import { edited, translate } from "./translate.ts";

/** The routes that carry out a plan, on an upstream that is spoken to as `dialect` says. */
export function planRoutes(plan: Plan, dialect: UpstreamDialect): Routes {
  const routes = new Map<string, Route>();
  for (const [path, method] of plan.methods) {
    const route = routeOf(path, method, plan, dialect);
    if (route !== null) routes.set(path, route);
  }
  return routes;
}

function routeOf(path: string, method: MethodPlan, plan: Plan, dialect: UpstreamDialect): Route | null {
  const { refusal } = method;
  if (method.lane === "reject" && refusal !== null) {
    return { lane: "reject", handle: () => Promise.reject(refusal()) };
  }
  if (method.lane === "relay") {
    const filter = relayFilterOf(method);
    if (filter === undefined) return null;
    return filter === null
      ? { lane: "translate", handle: translate(method, dialect) }
      : { lane: "relay", filter };
  }
  if (path === GET_CAPABILITIES) {
    return { lane: "local", handle: edited(method, dialect, async (bytes) => announce(plan, bytes)) };
  }
  return { lane: "translate", handle: translate(method, dialect) };
}
