import type pg from "pg";
import type { VersionView } from "../domain/gate.ts";
import type { AssetNode } from "../domain/graph.ts";
import type { gateMove } from "../domain/waiver-decision.ts";
import type { NewEvent } from "../storage/append-events.ts";
import { onTransaction } from "../storage/on-transaction.ts";
import { readNewestVersion } from "../storage/versions-read.ts";
import { Problem } from "./problem.ts";
import { type Actor, mayActFor } from "./tokens.ts";

/* What mutations that may open or close a gate have in common. */

/** @throws Problem `auth.not_owner` */
export function requireOwner(actor: Actor, team: string, what: string): void {
  if (mayActFor(actor, team)) return;
  const hint = `Ask team ${team}: its contacts are in the answer of GET /api/v1/teams.`;
  throw new Problem("auth.not_owner", `${actor.name} does not act for team ${team}, which owns ${what}.`, hint);
}

/** @throws Problem `auth.not_operator` for a token that acts for some teams alone */
export function requireOperator(actor: Actor, what: string): void {
  if (actor.teams === undefined) return;
  const hint = "Ask whoever runs the control plane: a token that names no teams may.";
  throw new Problem("auth.not_operator", `${actor.name} acts for ${actor.teams.join(" and ")}, and ${what}.`, hint);
}

export async function newestView(
  tx: pg.PoolClient,
  node: AssetNode,
  partition: string,
): Promise<VersionView | undefined> {
  return (await readNewestVersion(onTransaction(tx), node.key, partition))?.view;
}

/** The event of a gate that moved, with what moved it. */
export function gateEvent(
  node: AssetNode,
  partition: string,
  move: ReturnType<typeof gateMove>,
  after: VersionView | undefined,
  cause: Readonly<Record<string, unknown>>,
): readonly NewEvent[] {
  if (move === undefined) return [];
  return [
    {
      kind: move,
      assetKey: node.key,
      partitionKey: partition,
      location: node.location,
      payload: { version: after?.id ?? null, cause },
    },
  ];
}

/** The row that this transaction holds locked. */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a row that this transaction has locked is gone");
  return value;
}

export function discardedProblem(node: AssetNode, id: string): Problem {
  const hint = `To take it back: npx headgate asset restore ${node.key}@${id}`;
  return new Problem("version.discarded", `Version ${id} of ${node.key} is discarded.`, hint);
}
