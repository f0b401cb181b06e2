import { describe, expect, it } from "vitest";
import { type Registry, decideRelease, decideTransfer } from "../../control-plane/src/domain/owner-change.ts";
import { assetOf, locationOf, retired } from "../support/graph-definitions.ts";

const x = assetOf("a/x");
const teams = new Map([
  ["north", "a"],
  ["south", "a"],
  ["east", "a"],
  ["b", "b"],
]);

function registry(north: readonly unknown[], south: readonly unknown[], location: string | null = "north"): Registry {
  return {
    segments: [
      locationOf("b", [assetOf("b/x")]),
      locationOf("a", north as never, [], { location: "north" }),
      locationOf("a", south as never, [], { location: "south" }),
    ],
    owners: new Map([["a/x", { team: "a", location }]]),
    teams,
  };
}

describe("a transfer", () => {
  it("moves a key to a location of the team that defines it", () => {
    expect(decideTransfer(registry([x], [x]), "a/x", "south")).toEqual({
      kind: "changed",
      asset: "a/x",
      team: "a",
      from: "north",
      to: "south",
    });
  });

  it.each([
    ["to another team", "a/x", "b", "owner.another_team", /never leaves its team/, /Define it as b\/x in b/],
    ["to nowhere", "a/x", "west", "owner.unknown_location", /no code location west/, /north, south, east/],
    ["to where nobody could compute it", "a/x", "east", "owner.not_defined_there", /east does not define/, /collision/],
    ["to where it is", "a/x", "north", "owner.unchanged", /belongs to location north already/, /location list/],
    ["of what nobody ever defined", "a/y", "south", "owner.unknown_asset", /a\/y/, /asset list/],
    ["of what is no key", "x", "south", "owner.unknown_asset", /asset x/, /asset list/],
  ])("%s is refused", (_what, key, to, code, message, hint) => {
    expect(decideTransfer(registry([x], [x]), key, to)).toEqual({
      kind: "refused",
      code,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  it("to a location that no longer defines it is refused", () => {
    expect(decideTransfer(registry([x], [retired(x)]), "a/x", "south")).toMatchObject({
      code: "owner.not_defined_there",
    });
  });
});

describe("a release", () => {
  it("gives the key of an absent location to the one that was refused for it", () => {
    expect(decideRelease(registry([], [x]), "a/x")).toMatchObject({ kind: "changed", from: "north", to: "south" });
  });

  it("frees it for the next one where nobody defines it", () => {
    expect(decideRelease(registry([retired(x)], []), "a/x")).toMatchObject({
      kind: "changed",
      from: "north",
      to: null,
    });
  });

  it("is refused while its location defines it, with the transfer to paste", () => {
    expect(decideRelease(registry([x], [x]), "a/x")).toMatchObject({
      code: "owner.not_absent",
      hint: expect.stringContaining("npx headgate owner transfer a/x --to south"),
    });
  });

  it("of what was released is refused", () => {
    expect(decideRelease(registry([], [], null), "a/x")).toMatchObject({ code: "owner.unchanged" });
  });
});
