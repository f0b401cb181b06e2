import { afterEach, expect, test } from "vitest";
import { decideTransfer } from "../../control-plane/src/domain/owner-change.ts";
import { lockRegistry, writeOwnerChange } from "../../control-plane/src/storage/asset-owners.ts";
import { writeAudit } from "../../control-plane/src/storage/audit.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, Pause, succeeded } from "../support/fake-location.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
});

/** As the API does it. */
async function transfer(asset: string, to: string): Promise<void> {
  await withTransaction(engine.pool, async (tx) => {
    const registry = await lockRegistry(tx);
    const change = decideTransfer(registry, asset, to);
    if (change.kind === "refused") throw new Error(change.message);
    const { from } = change;
    await writeAudit(tx, { actor: "ada", action: "owner.transfer", subject: asset, details: { from, to } });
    await writeOwnerChange(tx, registry, change, "ada");
  });
  await engine.pool.query("select pg_notify('headgate_events', '')");
}

test("a transfer lets what is in flight end where it is, ends what was planned there, and the next run goes to the new location", async () => {
  const assets = [assetOf("a/x"), assetOf("a/y", ["a/x"])];
  engine = await Engine.open([locationOf("a", assets), locationOf("a", [assetOf("a/x")], [], { location: "a-annex" })]);
  const pause = new Pause();
  const old = new FakeLocation("a", {
    compute: (attempt) => (attempt.command.asset === "a/x" ? pause.compute(attempt) : succeeded(attempt.command)),
  });
  const annex = new FakeLocation("a-annex");
  await engine.startDaemon([old, annex]);
  const first = await engine.launch("a/x+");
  await pause.begun;
  const second = await engine.launch("a/x");
  await engine.until("select from runs where id = $1 and state = 'started'", [second]);
  await transfer("a/x", "a-annex");
  await pause.succeed();
  expect(await engine.ended(first)).toBe("succeeded");
  expect(await engine.ended(second)).toBe("failed");
  const { error } = await engine.until<{ error: { code: string; message: string } }>(
    "select error from steps where run_id = $1",
    [second],
  );
  expect(error).toMatchObject({
    code: "step.definition_gone",
    message: "a/x was transferred from location a to a-annex after this run was planned.",
  });
  expect(annex.begun).toEqual([]);
  expect(await engine.run("a/x")).toBe("succeeded");
  expect(annex.begun.map((command) => command.asset)).toEqual(["a/x"]);
  const { rows } = await engine.pool.query("select location from versions where asset_key = 'a/x' order by seq");
  expect(rows).toEqual([{ location: "a" }, { location: "a-annex" }]);
});
