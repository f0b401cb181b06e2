import type pg from "pg";
import { deletedBy } from "../../domain/asset-deletion.ts";
import {
  type OwnerChange,
  type OwnerRefusal,
  type Registry,
  decideRelease,
  decideTransfer,
} from "../../domain/owner-change.ts";
import { lockRegistry, writeOwnerChange } from "../../storage/asset-owners.ts";
import { requireOwner } from "../gate-change.ts";
import { type Change, mutate } from "../mutation.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";
import type { Actor } from "../tokens.ts";

export const ownerRoutes: Pick<Handlers, "transferAsset" | "releaseAsset"> = {
  async transferAsset(context, request) {
    const { key } = request.params;
    const { location } = request.body;
    return mutate(context, request, 200, (tx) =>
      changeOwner(tx, request.actor, key, "owner.transfer", (registry) => decideTransfer(registry, key, location)),
    );
  },

  async releaseAsset(context, request) {
    const { key } = request.params;
    return mutate(context, request, 200, (tx) =>
      changeOwner(tx, request.actor, key, "owner.release", (registry) => decideRelease(registry, key)),
    );
  },
};

async function changeOwner(
  tx: pg.PoolClient,
  actor: Actor,
  key: string,
  action: "owner.transfer" | "owner.release",
  decide: (registry: Registry) => OwnerChange | OwnerRefusal,
) {
  const registry = await lockRegistry(tx);
  const change = decide(registry);
  if (change.kind === "refused") {
    const deletion = registry.stored.deletions.get(key);
    if (change.code !== "owner.unknown_asset" || deletion === undefined) throw ownerProblem(change);
    throw new Problem("asset.unknown", `${key} was deleted by ${deletedBy(deletion)}.`, change.hint, {
      as: "asset.deleted",
    });
  }
  const { asset, team, from, to } = change;
  requireOwner(actor, team, asset);
  return {
    answer: { asset, team, location: to, previous: from },
    audit: { action, subject: asset, details: { from, to } },
    finish: (last: pg.PoolClient) => writeOwnerChange(last, registry, change, actor.name),
  } satisfies Change<unknown>;
}

function ownerProblem({ code, message, hint }: OwnerRefusal): Problem {
  switch (code) {
    case "owner.unknown_asset":
      return new Problem("asset.unknown", message, hint);
    case "owner.unknown_location":
      return new Problem("location.unknown", message, hint);
    case "owner.another_team":
    case "owner.not_defined_there":
    case "owner.unchanged":
    case "owner.not_absent":
      return new Problem(code, message, hint);
  }
}
