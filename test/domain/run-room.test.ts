import { describe, expect, test } from "vitest";
import { heldMax, keptMax, roomAt } from "../../control-plane/src/domain/run-room.ts";
import { type Run, newRun } from "../../control-plane/src/domain/run-state.ts";

function runsOf(team: string, count: number, holdsSlot: boolean): Run[] {
  const place = { team, priority: 0, createdAtMs: 0 };
  return Array.from({ length: count }, (_, n) =>
    newRun(`${team}-${String(n)}`, 1, { tags: {}, config: {}, whenOpen: false, place, holdsSlot }, []),
  );
}

describe("the room at a daemon", () => {
  test("is what a team's runs do not hold, whatever other teams hold", () => {
    const room = roomAt([...runsOf("a", 3, true), ...runsOf("b", heldMax, true)], []);
    expect(["a", "b", "c"].map(room)).toEqual([heldMax - 3, 0, heldMax]);
  });

  test("is none for a team of which memory is full of runs that wait", () => {
    const room = roomAt(runsOf("a", keptMax, false), []);
    expect(["a", "b"].map(room)).toEqual([0, heldMax]);
  });

  test("is there for one of the runs that fill memory and can go on", () => {
    const waiting = runsOf("a", keptMax - 2, false);
    const runs = [...waiting, ...runsOf("a", 2, true)];
    expect(roomAt(runs, waiting.slice(0, 1))("a")).toBe(heldMax - 2);
  });
});
