import type pg from "pg";
import { type DeletionRefusal, decideDeletion } from "../../domain/deletion-decision.ts";
import { lockRegistry } from "../../storage/asset-owners.ts";
import {
  deletionProgress,
  historyExtent,
  holdHistory,
  insertDeletion,
  writeDeletion,
} from "../../storage/delete-asset.ts";
import { requireOwner } from "../gate-change.ts";
import { type Change, mutate } from "../mutation.ts";
import { presentTime } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";
import type { Actor } from "../tokens.ts";

export const deletionRoute: Pick<Handlers, "deleteAsset"> = {
  async deleteAsset(context, request) {
    const { key } = request.params;
    const { confirm } = request.body;
    if (confirm !== key) {
      const hint = `What is deleted does not come back. If it is ${key} that should go, confirm ${key}.`;
      throw new Problem("deletion.not_confirmed", `${confirm} does not confirm that ${key} is deleted.`, hint);
    }
    return mutate(context, request, 202, (tx) => deleteAsset(tx, request.actor, key));
  },
};

async function deleteAsset(tx: pg.PoolClient, actor: Actor, key: string) {
  const registry = await lockRegistry(tx);
  const { renames, deletions } = registry.stored;
  const decision = decideDeletion({ ...registry, renames, deletions }, key, await holdHistory(tx, key));
  if (decision.kind === "refused") throw await deletionProblem(tx, key, decision);
  const { asset, team } = decision;
  requireOwner(actor, team, asset);
  const extent = await historyExtent(tx, asset);
  const requestedAt = await insertDeletion(tx, decision, actor.name, extent.versions);
  return {
    answer: { asset, team, requestedAt: presentTime(requestedAt), ...extent, values: [...extent.values] },
    audit: { action: "asset.delete", subject: asset, details: { ...extent } },
    finish: (last: pg.PoolClient) => writeDeletion(last, registry, decision, actor.name, extent.versions),
  } satisfies Change<unknown>;
}

async function deletionProblem(
  tx: pg.PoolClient,
  key: string,
  { code, message, hint }: DeletionRefusal,
): Promise<Problem> {
  switch (code) {
    case "deletion.unknown_asset":
      return new Problem("asset.unknown", message, hint);
    case "deletion.deleted": {
      const progress = await deletionProgress(tx, key);
      if (progress === undefined) return new Problem("asset.unknown", message, hint, { as: "asset.deleted" });
      const { removed, versions } = progress;
      return new Problem("deletion.under_way", `${message} ${removed} of ${versions} versions are removed.`, hint);
    }
    case "deletion.still_defined":
    case "deletion.consumed":
    case "deletion.taken_over":
    case "deletion.in_flight":
    case "deletion.publishing":
      return new Problem(code, message, hint);
  }
}
