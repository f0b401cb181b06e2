import { dynamicKeyProblem, dynamicKeysMax } from "@headgate/model";
import { type DefinedSet, definedSets } from "../../domain/dynamic-sets.ts";
import type { NewEvent } from "../../storage/append-events.ts";
import {
  addDynamicKeys,
  countDynamicKeys,
  listDynamicKeys,
  removeDynamicKeys,
} from "../../storage/dynamic-partitions.ts";
import type { ApiContext } from "../api-context.ts";
import { encodeCursor, numberCursor } from "../cursor.ts";
import { requireOwner } from "../gate-change.ts";
import { mutate } from "../mutation.ts";
import { presentTime } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

type PartitionRoutes = "listPartitionSets" | "listPartitions" | "addPartitions" | "removePartitions";

/** Keys that an event names; how many there were it says in any case. */
const keysInEventMax = 100;

export const partitionRoutes: Pick<Handlers, PartitionRoutes> = {
  async listPartitionSets(context) {
    const countOf = await countDynamicKeys(context.pool);
    return {
      items: definedSets(context.graph()).map(({ team, name, assets }) => {
        return { team, name, assets: [...assets], count: countOf(team, name) };
      }),
    };
  },

  async listPartitions(context, { params, query }) {
    const set = findSet(context, params.team, params.name);
    const after = numberCursor(query.after);
    const page = await listDynamicKeys(context.db, set, {
      limit: query.limit,
      ...(after === undefined ? {} : { after }),
    });
    return {
      items: page.items.map((row) => ({ key: row.key, addedBy: row.added_by, addedAt: presentTime(row.added_at) })),
      next: page.next === undefined ? null : encodeCursor(page.next),
    };
  },

  async addPartitions(context, request) {
    const { params, body, actor } = request;
    const set = findSet(context, params.team, params.name);
    requireOwner(actor, set.team, `the dynamic partitions ${set.name}`);
    const invalid = body.keys.map(dynamicKeyProblem).find((problem) => problem !== undefined);
    if (invalid !== undefined) throw new Problem("partition.invalid", `${invalid.message}.`, `${invalid.hint}.`);
    const answer = await mutate(context, request, 200, async (tx) => {
      const done = await addDynamicKeys(tx, set, body.keys, actor.name);
      if (done.kind === "full") {
        const hint = "Remove keys that are no longer needed, or cut by something coarser.";
        const words = `${set.team}/${set.name} would have ${done.count} keys, of at most ${dynamicKeysMax}.`;
        throw new Problem("partitions.set_full", words, hint);
      }
      const { added, count } = done;
      return changeOf(set, "added", added, { team: set.team, name: set.name, count, added: [...added] }, actor.name);
    });
    await heard(context);
    return answer;
  },

  async removePartitions(context, request) {
    const { params, body, actor } = request;
    const set = findSet(context, params.team, params.name);
    requireOwner(actor, set.team, `the dynamic partitions ${set.name}`);
    const answer = await mutate(context, request, 200, async (tx) => {
      const { removed, count } = await removeDynamicKeys(tx, set, body.keys);
      const missing = body.keys.find((key) => !removed.includes(key));
      if (missing !== undefined) {
        const words = `${set.team}/${set.name} has no partition ${JSON.stringify(missing)}. Nothing was removed.`;
        const hint = `\`npx headgate partition list ${set.team}/${set.name}\` prints those there are.`;
        throw new Problem("partition.unknown", words, hint);
      }
      const said = { team: set.team, name: set.name, count, removed: [...removed] };
      return changeOf(set, "removed", removed, said, actor.name);
    });
    await heard(context);
    return answer;
  },
};

/** So that what is asked next knows it. A hint, with a poll behind it: the change is made in any case. */
async function heard(context: ApiContext): Promise<void> {
  await context.refreshGraph?.().catch(() => undefined);
}

/** @throws Problem `partitions.unknown_set`: the owning team defines a set, by an asset that is cut by it */
function findSet(context: ApiContext, team: string, name: string): DefinedSet {
  const sets = definedSets(context.graph());
  const found = sets.find((set) => set.team === team && set.name === name);
  if (found !== undefined) return found;
  const known = sets.map((set) => `${set.team}/${set.name}`).slice(0, 10);
  const hint =
    known.length === 0
      ? `An asset of team ${team} makes it, with partitions: dynamicPartitions({ name: "${name}" }).`
      : `There are ${known.join(", ")}.`;
  throw new Problem("partitions.unknown_set", `No asset is cut by the dynamic partitions ${team}/${name}.`, hint);
}

/** Nothing happened where no key was new: there is nothing to tell then. */
function changeOf<A>(
  { team, name, assets }: DefinedSet,
  what: "added" | "removed",
  keys: readonly string[],
  answer: A,
  actor: string,
) {
  if (keys.length === 0) return { answer };
  const payload = { team, name, actor, count: keys.length, keys: keys.slice(0, keysInEventMax), assets };
  const event: NewEvent = { kind: `partitions_${what}`, payload };
  return {
    answer,
    audit: {
      action: `partitions.${what === "added" ? "add" : "remove"}`,
      subject: `${team}/${name}`,
      details: { keys },
    },
    events: [event],
  };
}
