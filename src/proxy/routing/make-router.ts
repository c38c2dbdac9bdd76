/** The router of one thread, made of the configuration. */
import { formatAddress } from "../../config/address.ts";
import { type ReachableConfig, upstreamNamed } from "../../config/types.ts";
import type { Log } from "../../observe/log.ts";
import { claimedMethods } from "../../plan/claimed-methods.ts";
import { Planner } from "../../plan/planner.ts";
import { readSettings } from "../../plan/settings.ts";
import { TRANSLATORS } from "../../translators/registry.ts";
import { UpstreamTarget } from "../upstream-target.ts";
import { ClientPeers } from "./client-peers.ts";
import { PlanRouter } from "./plan-router.ts";
import type { Router } from "./route.ts";
import { RouteTable } from "./route-table.ts";
import { ServerPeer } from "./server-peer.ts";

/** @throws StartError for names that do not exist, and for TLS files that cannot be used. */
export function makeRouter(config: ReachableConfig, log: Log): Router {
  const { catalogue, policy, servers, routes, clients } = readSettings(config);
  const peers = new Map(
    [...servers].map(([name, profile]) => {
      const target = new UpstreamTarget(upstreamNamed(config, name), config);
      target.checkFiles();
      return [name, new ServerPeer(target, profile, log)];
    }),
  );
  return new PlanRouter({
    table: new RouteTable(routes.map((route) => ({ ...route, peer: peers.get(route.upstream)! }))),
    planner: new Planner(TRANSLATORS, policy),
    catalogue,
    clients: new ClientPeers(catalogue),
    clientRules: clients.map(({ listen, instance, profile }) => ({
      listener: listen === null ? null : formatAddress(listen),
      instance,
      line: profile,
    })),
    claimed: claimedMethods(TRANSLATORS),
  });
}
