import { describe, expect, test } from "vitest";
import { type LocationSegment, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { isSafe, workspaceDiff } from "../../control-plane/src/domain/workspace-diff.ts";
import { assetOf, lastGood, locationOf, retired, scheduleOf } from "../support/graph-definitions.ts";

const graphOf = (...segments: LocationSegment[]) => buildGraph(segments, new Map());
const at2 = "0 2 * * *";

describe("the schedules of a graph", () => {
  test("are those that can be served, and one that is wrong hides no other", () => {
    const { schedules, errors } = graphOf(
      locationOf("a", [assetOf("a/x")], [], {
        schedules: [
          scheduleOf("a/good", at2),
          scheduleOf("b/theirs", at2),
          scheduleOf("a/never", "0 0 31 2 *"),
          scheduleOf("a/nowhere", at2, { timezone: "Mars/Olympus" }),
          scheduleOf("a/unread", at2, { selection: "a/x and (" }),
          scheduleOf("a/by_status", at2, { selection: "a/* and status:failed" }),
          retired(scheduleOf("a/gone", at2)),
        ],
      }),
    );
    expect([...schedules.keys()]).toEqual(["a/good"]);
    expect(Object.fromEntries(errors.map(({ kind, key, code }) => [`${kind} ${key}`, code]))).toEqual({
      "schedule b/theirs": "definition.another_teams_prefix",
      "schedule a/never": "definition.invalid_cron",
      "schedule a/nowhere": "definition.invalid_cron",
      "schedule a/unread": "definition.invalid_target",
      "schedule a/by_status": "definition.invalid_target",
    });
  });

  test("keep their last good form, with what is wrong with the newest", () => {
    const error = { code: "definition.invalid", message: "does not load", hint: "mend it" };
    const { schedules, errors } = graphOf(
      locationOf("a", [assetOf("a/x")], [], { schedules: [lastGood(scheduleOf("a/s", at2), error)] }),
    );
    expect(schedules.get("a/s")).toMatchObject({ error, hash: "last-good" });
    expect(errors).toMatchObject([{ kind: "schedule", key: "a/s", code: "definition.invalid" }]);
  });

  test("of two locations of one team with one name the first counts, and the other says so", () => {
    const { schedules, errors } = graphOf(
      locationOf("a", [], [], { location: "a-two", schedules: [scheduleOf("a/s", at2)] }),
      locationOf("a", [], [], { location: "a-one", schedules: [scheduleOf("a/s", at2)] }),
    );
    expect(schedules.get("a/s")?.location).toBe("a-one");
    expect(errors).toMatchObject([{ location: "a-two", code: "definition.duplicate_schedule" }]);
  });

  test("go on when a target is missing, refused or another team's, and warn", () => {
    const { schedules, errors, warnings } = graphOf(
      locationOf("a", [assetOf("a/orders"), assetOf("a/broken", ["a/nowhere"])], [], {
        schedules: [scheduleOf("a/s", at2, { selection: "a/order or a/broken or b/y or a/orders" })],
      }),
      locationOf("b", [assetOf("b/y")]),
    );
    expect(schedules.has("a/s")).toBe(true);
    expect(errors.map(({ key }) => key)).toEqual(["a/broken"]);
    expect(warnings.map(({ key, code }) => `${key} ${code}`).sort()).toEqual([
      "a/s definition.missing_target",
      "a/s definition.refused_target",
      "a/s definition.target_of_another_team",
    ]);
    expect(warnings.find(({ code }) => code === "definition.missing_target")?.hint).toContain("a/orders");
  });
});

test("a diff tells schedules that come, go and change, and counts one that goes as a loss", () => {
  const side = (...schedules: ReturnType<typeof scheduleOf>[]) =>
    graphOf(locationOf("a", [assetOf("a/x")], [], { schedules }));
  const before = side(scheduleOf("a/kept", at2), scheduleOf("a/gone", at2));
  const after = side(
    scheduleOf("a/kept", "0 3 * * *", { timezone: "Europe/Berlin", startsOff: true, priority: 5 }),
    scheduleOf("a/new", at2),
  );
  const { schedules } = workspaceDiff(before, after);
  expect(schedules.added.map(({ name }) => name)).toEqual(["a/new"]);
  expect(schedules.removed.map(({ name }) => name)).toEqual(["a/gone"]);
  expect(schedules.changed).toMatchObject([
    { name: "a/kept", texts: ["times 0 2 * * * UTC → 0 3 * * * Europe/Berlin", "priority 0 → 5", "status on → off"] },
  ]);
  expect(isSafe(workspaceDiff(before, after))).toBe(false);
  expect(
    isSafe(workspaceDiff(before, side(...[...before.schedules.values()].map(({ definition }) => definition)))),
  ).toBe(true);
});
