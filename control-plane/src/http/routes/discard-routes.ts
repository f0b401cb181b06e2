import type pg from "pg";
import type { VersionView } from "../../domain/gate.ts";
import type { AssetNode } from "../../domain/graph.ts";
import { gateMove } from "../../domain/waiver-decision.ts";
import { bumpGate } from "../../storage/bump-gate.ts";
import { onTransaction } from "../../storage/on-transaction.ts";
import { countReaders, markDiscarded, unmarkDiscarded } from "../../storage/discards.ts";
import { readVersion } from "../../storage/versions-read.ts";
import type { ApiContext } from "../api-context.ts";
import { findAsset } from "../find-asset.ts";
import { discardedProblem, found, gateEvent, newestView, requireOwner } from "../gate-change.ts";
import { mutate } from "../mutation.ts";
import { presentVersion } from "../present-version.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";
import type { Actor } from "../tokens.ts";
import { findVersion } from "./asset-routes.ts";

export const discardRoutes: Pick<Handlers, "discardVersion" | "restoreVersion"> = {
  async discardVersion(context, request) {
    const { params, body, actor } = request;
    const node = findAsset(context, params.key);
    const { view } = await findVersion(context, node, params.id);
    requireOwner(actor, node.team, node.key);
    return mutate(context, request, 200, async (tx) => {
      await bumpGate(tx, node.key);
      const before = await newestView(tx, node, view.partition);
      if (before?.id !== view.id) {
        const record = found(await readVersion(onTransaction(tx), view.id));
        if (record.discarded !== undefined) throw discardedProblem(node, view.id);
        const hint = `Only the newest version can be discarded: that is ${before?.id ?? "none"}.`;
        throw new Problem("version.not_newest", `${view.id} is not the newest version of ${node.key}.`, hint);
      }
      await markDiscarded(tx, view.id, actor.name, body.reason);
      return discardChange(context, tx, node, view, before, actor, "version_discarded", { reason: body.reason });
    });
  },

  async restoreVersion(context, request) {
    const { params, actor } = request;
    const node = findAsset(context, params.key);
    const { view } = await findVersion(context, node, params.id);
    requireOwner(actor, node.team, node.key);
    return mutate(context, request, 200, async (tx) => {
      await bumpGate(tx, node.key);
      const before = await newestView(tx, node, view.partition);
      if (!(await unmarkDiscarded(tx, view.id))) {
        const hint = `\`npx headgate asset versions ${node.key}\` shows which are.`;
        throw new Problem("version.not_discarded", `Version ${view.id} of ${node.key} is not discarded.`, hint);
      }
      return discardChange(context, tx, node, view, before, actor, "version_restored", {});
    });
  },
};

async function discardChange(
  context: ApiContext,
  tx: pg.PoolClient,
  node: AssetNode,
  view: VersionView,
  before: VersionView | undefined,
  actor: Actor,
  kind: "version_discarded" | "version_restored",
  details: { readonly reason?: string },
) {
  const db = onTransaction(tx);
  const after = await newestView(tx, node, view.partition);
  const readers = await countReaders(tx, view.id);
  const move = gateMove(node, before, after, node.team, context.now());
  const cause = { kind: kind === "version_discarded" ? "discard" : "restore", version: view.id, reader: node.team };
  return {
    answer: await presentVersion(context, db, node, found(await readVersion(db, view.id))),
    audit: {
      action: kind === "version_discarded" ? "version.discard" : "version.restore",
      subject: node.key,
      details: { version: view.id, partition: view.partition, ...details },
    },
    events: [
      {
        kind,
        assetKey: node.key,
        partitionKey: view.partition,
        location: node.location,
        payload: { version: view.id, actor: actor.name, newest: after?.id ?? null, readers, ...details },
      },
      ...gateEvent(node, view.partition, move, after, cause),
    ],
  };
}
