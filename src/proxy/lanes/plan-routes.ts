import { internName } from "../../http2/hpack/name.ts";
import { type MethodPlan, type Plan, RELAYED } from "../../plan/plan.ts";
import { announce } from "../../plan/run-hooks.ts";
import { allMethods } from "../../spec/methods.ts";
import { GET_CAPABILITIES } from "../../translators/methods.ts";
import { ByMessage } from "../routing/by-message.ts";
import type { HeadEdit, RelayRoute, Route, Routes } from "../routing/route.ts";
import { headEditOf, inTurn } from "./head-edit.ts";
import type { Reach, Reaches } from "./hook-call.ts";
import { namesInstance, withInstance } from "./instance-of.ts";
import { withOperationNames } from "./operation-names.ts";
import { relayFilterOf } from "./relay-filter-of.ts";
import { type ResponseEdit, translate } from "./translate.ts";

/** What the routes of a plan are for. */
export interface LaneContext extends Omit<Reach, "upstream"> {
  /** Where hooks find what they read, if several upstreams serve an instance. */
  readonly beside?: Reaches;
  /** What is made of the upstream's capabilities, in place of the lenses of the plan alone. */
  readonly announce?: ResponseEdit;
  /** What routes call the upstream; present where several upstreams execute. */
  readonly executor?: string;
}

/** The routes that carry out a plan. */
export function planRoutes(plan: Plan, context: LaneContext): Routes {
  const { rename, executor } = context;
  const routes = new Map<string, Route>();
  const paths = new Set(plan.methods.keys());
  if (context.announce !== undefined) paths.add(GET_CAPABILITIES);
  if (rename !== undefined || executor !== undefined) for (const { path } of allMethods()) paths.add(path);
  for (const path of paths) {
    const own = plan.methods.get(path) ?? RELAYED;
    const named = rename === undefined ? own : withRename(path, own, rename);
    const method = executor === undefined ? named : withOperationNames(path, named, executor);
    const route = routeOf(path, method, plan, context);
    if (route !== null) routes.set(path, withHead(path, route, plan, context));
  }
  return routes;
}

function routeOf(path: string, method: MethodPlan, plan: Plan, context: LaneContext): Route | null {
  const { refusal } = method;
  if (method.lane === "reject" && refusal !== null) {
    return { lane: "reject", handle: () => Promise.reject(refusal()) };
  }
  if (path === GET_CAPABILITIES) {
    const edit: ResponseEdit = context.announce ?? (async (bytes) => announce(plan, bytes));
    return { lane: "local", handle: translate(method, plan.pair, context, edit) };
  }
  const { opens } = method;
  const opened = {
    lane: method.lane === "local" ? method.lane : "translate",
    handle: translate(method, plan.pair, context),
  } as const;
  if (method.lane !== "relay" && opens === null) return opened;
  const filter = relayFilterOf(method);
  if (filter === null) return opened;
  const relayed: RelayRoute = { lane: "relay", filter: filter ?? null };
  if (method.lane === "relay") return filter === undefined ? null : relayed;
  return { lane: "by-message", by: new ByMessage(opened, relayed, opens!) };
}

function withHead(path: string, route: Route, plan: Plan, { rename }: LaneContext): Route {
  const named = rename !== undefined && namesInstance(path);
  const head = inTurn(headEditOf(plan), named ? withoutResourceName : undefined);
  return head === undefined ? route : { ...route, head };
}

/** Names instances as the upstream does. Where the name stays, a message that names two is still refused: it could be taken for either. */
function withRename(path: string, method: MethodPlan, rename: (instance: string) => string): MethodPlan {
  if (!namesInstance(path)) return method;
  const rewrite = (value: Buffer | null): Buffer | null => {
    const before = value?.toString() ?? "";
    const after = withInstance(path, before, rename);
    return after === before ? value : Buffer.from(after);
  };
  return { ...method, heads: [...method.heads, { field: 1, rewrite }] };
}

const RESOURCE_NAME = internName("build.bazel.remote.execution.v2.resource-name");

/** The routing header is optional and has to agree with the name in the request, which may change (D06). */
const withoutResourceName: HeadEdit = (fields) => fields.filter(({ name }) => name !== RESOURCE_NAME);
