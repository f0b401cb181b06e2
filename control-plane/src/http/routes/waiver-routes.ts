import type pg from "pg";
import type { VersionView } from "../../domain/gate.ts";
import type { AssetNode } from "../../domain/graph.ts";
import { decideWaiver, gateMove } from "../../domain/waiver-decision.ts";
import { bumpGate } from "../../storage/bump-gate.ts";
import { onTransaction } from "../../storage/on-transaction.ts";
import { readVersion } from "../../storage/versions-read.ts";
import { type WaiverRow, listWaivers, readWaiver, waiversInForce } from "../../storage/waivers-read.ts";
import { endWaiver, insertWaiver } from "../../storage/waivers.ts";
import { encodeCursor, idCursor } from "../cursor.ts";
import { findAsset } from "../find-asset.ts";
import { discardedProblem, found, gateEvent, newestView, requireOwner } from "../gate-change.ts";
import { mutate } from "../mutation.ts";
import { presentWaiver } from "../present-version.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";
import { findVersion } from "./asset-routes.ts";

export const waiverRoutes: Pick<Handlers, "listWaivers" | "getWaiver" | "createWaiver" | "revokeWaiver"> = {
  async listWaivers(context, { query }) {
    const nowMs = context.now();
    const after = idCursor(query.after);
    const page = await listWaivers(
      context.db,
      { asset: query.asset, ...(query.inForce === undefined ? {} : { inForce: query.inForce === "true" }) },
      new Date(nowMs),
      { limit: query.limit, ...(after === undefined ? {} : { after }) },
    );
    return {
      items: page.items.map((row) => presentWaiver(row, nowMs)),
      next: page.next === undefined ? null : encodeCursor(page.next),
    };
  },

  async getWaiver(context, { params }) {
    const row = await readWaiver(context.db, params.id);
    if (row === undefined) {
      throw new Problem(
        "waiver.unknown",
        `There is no waiver ${params.id}.`,
        "`npx headgate waiver list` prints them.",
      );
    }
    return presentWaiver(row, context.now());
  },

  async createWaiver(context, request) {
    const { params, body, actor } = request;
    const node = findAsset(context, params.key);
    const { view } = await findVersion(context, node, params.id);
    return mutate(context, request, 201, async (tx) => {
      await bumpGate(tx, node.key);
      const db = onTransaction(tx);
      const record = found(await readVersion(db, view.id));
      if (record.discarded !== undefined) throw discardedProblem(node, view.id);
      const nowMs = context.now();
      const decision = decideWaiver(
        node,
        record.view,
        {
          untilMs: Date.parse(body.until),
          ...(body.check === undefined ? {} : { check: body.check }),
          ...(body.team === undefined ? {} : { team: body.team }),
        },
        nowMs,
      );
      if (decision.kind === "refused") throw new Problem(decision.code, decision.message, decision.hint);
      const { team, name } = decision.check;
      requireOwner(actor, team, `check ${name} of ${node.key}`);
      const before = await newestView(tx, node, view.partition);
      const id = context.newId();
      const waiver = {
        id,
        versionId: view.id,
        assetKey: node.key,
        partition: view.partition,
        team,
        name,
        reason: body.reason,
        actor: actor.name,
        until: new Date(body.until),
      };
      // One whose end has passed without anybody noticing yet still takes the place.
      await endOverdue(tx, view, team, name, nowMs);
      if (!(await insertWaiver(tx, waiver))) {
        const hint = `npx headgate waiver list --asset ${node.key}`;
        throw new Problem("waiver.exists", `Check ${name} is waived for version ${view.id} already.`, hint);
      }
      const after = await newestView(tx, node, view.partition);
      const subject = { assetKey: node.key, partitionKey: view.partition, location: node.location };
      const { reason, until } = waiver;
      return {
        answer: presentWaiver(found(await readWaiver(db, id)), nowMs),
        audit: {
          action: "waiver.create",
          subject: node.key,
          details: { waiver: id, version: view.id, partition: view.partition, team, check: name, reason, until },
        },
        events: [
          {
            kind: "waiver_created",
            ...subject,
            payload: { waiver: id, version: view.id, team, check: name, reason, actor: actor.name, until },
          },
          ...gateEvent(node, view.partition, gateMove(node, before, after, team, nowMs), after, {
            kind: "waiver",
            waiver: id,
            reader: team,
          }),
        ],
      };
    });
  },

  async revokeWaiver(context, request) {
    const { params, query, actor } = request;
    const node = findAsset(context, params.key);
    const { view } = await findVersion(context, node, params.id);
    return mutate(context, request, 200, async (tx) => {
      await bumpGate(tx, node.key);
      const db = onTransaction(tx);
      const nowMs = context.now();
      const inForce = (await waiversInForce(db, [view.id], new Date(nowMs))).get(view.id) ?? [];
      const row = chosenWaiver(node, view.id, inForce, query.check, query.team);
      requireOwner(actor, row.team, `check ${row.name} of ${node.key}`);
      const before = await newestView(tx, node, view.partition);
      await endWaiver(tx, row.id, actor.name);
      const after = await newestView(tx, node, view.partition);
      return {
        answer: presentWaiver(found(await readWaiver(db, row.id)), nowMs),
        audit: {
          action: "waiver.revoke",
          subject: node.key,
          details: { waiver: row.id, version: view.id, partition: view.partition, team: row.team, check: row.name },
        },
        events: [
          {
            kind: "waiver_revoked",
            assetKey: node.key,
            partitionKey: view.partition,
            location: node.location,
            payload: { waiver: row.id, version: view.id, team: row.team, check: row.name, actor: actor.name },
          },
          ...gateEvent(node, view.partition, gateMove(node, before, after, row.team, nowMs), after, {
            kind: "waiverRevoked",
            waiver: row.id,
            reader: row.team,
          }),
        ],
      };
    });
  },
};

async function endOverdue(
  tx: pg.PoolClient,
  view: VersionView,
  team: string,
  name: string,
  nowMs: number,
): Promise<void> {
  for (const waiver of view.liveWaivers) {
    if (waiver.team === team && waiver.name === name && waiver.untilMs <= nowMs) await endWaiver(tx, waiver.id, "time");
  }
}

/** @throws Problem if it is not clear which waiver is meant */
function chosenWaiver(
  node: AssetNode,
  version: string,
  inForce: readonly WaiverRow[],
  check: string | undefined,
  team: string | undefined,
): WaiverRow {
  const fitting = inForce.filter(
    (row) => (check === undefined || row.name === check) && (team === undefined || row.team === team),
  );
  const [only, ...others] = fitting;
  if (only === undefined) {
    const hint = `npx headgate waiver list --asset ${node.key}`;
    throw new Problem("waiver.unknown", `Version ${version} has no such waiver in force.`, hint);
  }
  if (others.length > 0) {
    const names = fitting.map((row) => `${row.team}:${row.name}`).join(", ");
    throw new Problem(
      "waiver.check_ambiguous",
      `Several waivers are in force: ${names}.`,
      "Name the check and its team.",
    );
  }
  return only;
}
