import { Definition } from "@headgate/proto";
import { AutomationCondition, type ConditionTree, asset, assetSpec, when } from "@headgate/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Condition } from "../../control-plane/src/domain/conditions/condition.ts";
import { conditionLine } from "../../control-plane/src/domain/conditions/condition-line.ts";
import { conditionProblem } from "../../control-plane/src/domain/conditions/condition-problem.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { decodeDefinition } from "../../control-plane/src/grpc/decode-definition.ts";
import { describeAsset } from "../../shared/sdk/src/describe/describe-asset.ts";
import { DefinitionProblem } from "../../shared/sdk/src/describe/problem.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";

/** What the control plane reads of a condition that a location defines. */
function received(automation: AutomationCondition): Condition | undefined {
  const described = describeAsset(asset({ key: "shop/x", automation, compute: () => 1 }), "shop", "1");
  const bytes = Definition.encode({ definition: { $case: "asset", value: described } }).finish();
  const decoded = decodeDefinition(bytes);
  if (!decoded.ok) throw new Error(decoded.error.message);
  return decoded.definition.kind === "asset" ? decoded.definition.automation : undefined;
}

const ticks = fc.record({
  kind: fc.constantFrom("onCron" as const, "cronTickPassed" as const, "updatedSinceTick" as const),
  cron: fc.constantFrom("0 6 * * *", "@daily", "*/5 * * * 1-5"),
  timezone: fc.constantFrom("UTC", "Europe/Berlin"),
});
const trees: fc.Arbitrary<ConditionTree> = fc.letrec<{ tree: ConditionTree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.record({
      kind: fc.constantFrom(
        "onMissing" as const,
        "eager" as const,
        "missing" as const,
        "inProgress" as const,
        "failed" as const,
        "checkPending" as const,
        "checkFailed" as const,
        "codeVersionChanged" as const,
        "gateOpen" as const,
        "newlyRequested" as const,
        "newlyMaterialized" as const,
        "requestedBefore" as const,
        "initialEvaluation" as const,
        "updated" as const,
        "onItsWay" as const,
      ),
    }),
    ticks,
    fc.record({ kind: fc.constant("inLatestTimeWindow" as const), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      of: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constantFrom("not" as const, "newlyTrue" as const, "anyDeps" as const, "allDeps" as const),
      of: tie("tree"),
    }),
    fc.record({ kind: fc.constant("since" as const), of: tie("tree"), reset: tie("tree") }),
    fc.record({ kind: fc.constant("filtered" as const), of: tie("tree"), ignore: fc.constantFrom("team:a", "a/x") }),
  ),
})).tree;

test("the control plane receives the condition that was written", () => {
  fc.assert(
    fc.property(trees, (tree) => {
      expect(received(new AutomationCondition(tree))).toEqual(tree);
    }),
    { numRuns: 200 },
  );
});

describe("when", () => {
  const orders = assetSpec({ key: "shop/orders" });
  const rates = assetSpec({ key: "money/rates" });

  test.each([
    [when.eager().or(when.onCron("0 6 * * *")), 'eager or onCron("0 6 * * *", "UTC")'],
    [when.onMissing().ignore(orders), 'onMissing ignore "shop/orders"'],
    [when.eager().allow([orders, rates]), 'eager allow "shop/orders or money/rates"'],
    [when.anyDepsUpdated().and(when.anyDepsOnTheirWay().not()), "anyDeps(updated) and not anyDeps(onItsWay)"],
    [when.missing().newlyTrue().since(when.newlyRequested()), "newlyTrue(missing) since newlyRequested"],
    [when.codeVersionChanged().and(when.inLatestTimeWindow(3)), "codeVersionChanged and inLatestTimeWindow(3)"],
  ])("%# reads on one line as it is written", (condition, line) => {
    expect(conditionLine(received(condition) as Condition)).toBe(line);
    expect(conditionProblem(condition.tree as Condition)).toBeUndefined();
  });

  test.each([
    [
      when.onCron("0 6 * *"),
      /automation condition of asset shop\/x is not valid: cron "0 6 \* \*" has not five fields/,
    ],
    [when.cronTickPassed("0 6 * * *", "Mars/Olympus"), /time ?zone/i],
    [when.inLatestTimeWindow(0), /asks for the newest 0 time windows/],
    [
      Array.from({ length: 20 }).reduce((inner: AutomationCondition) => inner.not(), when.gateOpen()),
      /more than 20 deep/,
    ],
  ])("%# is refused where it is defined, with what is wrong", (automation, message) => {
    const describing = () => describeAsset(asset({ key: "shop/x", automation, compute: () => 1 }), "shop", "1");
    expect(describing).toThrow(message);
    expect(describing).toThrow(DefinitionProblem);
  });
});

test.each<[Condition, string]>([
  [{ kind: "updated" }, "The automation condition of a/x says updated of the asset itself"],
  [{ kind: "anyDeps", of: { kind: "gateOpen" } }, "says gateOpen of a dependency."],
  [
    { kind: "anyDeps", of: { kind: "not", of: { kind: "updated" } } },
    "says updated of a dependency among other things",
  ],
  [{ kind: "filtered", of: { kind: "eager" }, allow: "team:" }, 'has a selection that cannot be read, "team:"'],
  [{ kind: "onCron", cron: "0 6 31 2 *", timezone: "UTC" }, "never ticks"],
  [{ kind: "and", of: [] }, "has an empty list of parts"],
])("a condition that cannot be evaluated is refused, and hides no other definition (%#)", (automation, message) => {
  const graph = buildGraph([locationOf("a", [assetOf("a/x", [], { automation }), assetOf("a/y")])], new Map());
  expect(graph.errors).toMatchObject([{ key: "a/x", code: "definition.invalid_condition" }]);
  expect(graph.errors[0]?.message).toContain(message);
  expect(graph.order.map(({ key }) => key)).toEqual(["a/y"]);
});
