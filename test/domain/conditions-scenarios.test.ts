import { readFile, readdir, writeFile } from "node:fs/promises";
import { rangeSet } from "@headgate/model";
import { describe, expect, test } from "vitest";
import type { Condition } from "../../control-plane/src/domain/conditions/condition.ts";
import { partitionsText, whyNotRequested } from "../../control-plane/src/domain/conditions/explain.ts";
import type { ResultView } from "../../control-plane/src/domain/gate.ts";
import { type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { ConditionWorld } from "../support/condition-world.ts";
import { type DependencyText, assetOf, checkOf, locationsOf } from "../support/graph-definitions.ts";

/*
 * Scenarios in text files: what there is, what happened, and (indented) what was requested and why the rest was not.
 * UPDATE_TRANSCRIPTS=1 writes what is indented anew, for a review of the difference.
 *
 *   now 2001-03-15T00:00Z                          the time, also later on
 *   asset t/x daily 2001-01-01 reads t/a, t/b(-1) when {"kind":"eager"}
 *                                                  unpartitioned, or daily or monthly from a day on; edges: strict,
 *                                                  `last t/a` lastValidated, t/b(-1) by windows, t/b(all)
 *   check t/x name                                 blocking
 *   made t/x 2001-01 ok=passed                     a version; results by check
 *   judged t/x 2001-01 ok=failed                   another result of its newest version
 *   waived t/x 2001-01 ok / discarded t/x 2001-01 / failed t/x 2001-01 / blocked ... / canceled ...
 *   started t/x 2001-01                            a run of somebody
 *   restarted                                      the daemon forgets all that is not stored
 *   why t/x 2001-01                                why it is not requested
 *   evaluated                                      nothing happened
 * After each of the latter everything is evaluated until nothing more is requested.
 */
const folder = new URL("../scenarios/", import.meta.url);

describe("scenarios", async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".txt")).sort();
  test.each(names)("%s", async (name) => {
    const file = new URL(name, folder);
    const written = await readFile(file, "utf8");
    const now = replayed(written);
    if (process.env["UPDATE_TRANSCRIPTS"] === "1") await writeFile(file, now);
    else expect(now).toBe(written);
  });
});

function replayed(text: string): string {
  const lines: string[] = [];
  let scenario = new Scenario();
  for (const line of text.split("\n")) {
    if (line.startsWith("  ")) continue;
    if (line === "") scenario = new Scenario();
    lines.push(line, ...(line === "" || line.startsWith("#") ? [] : scenario.play(line).map((said) => `  ${said}`)));
  }
  return lines.join("\n");
}

class Scenario {
  readonly #assets: ReturnType<typeof assetOf>[] = [];
  readonly #checks: ReturnType<typeof checkOf>[] = [];
  #nowMs = Date.UTC(2001, 2, 15);
  #world: ConditionWorld | undefined;

  play(line: string): readonly string[] {
    const [verb = "", ...rest] = line.split(" ");
    switch (verb) {
      case "asset":
        this.#assets.push(readAsset(line.slice("asset ".length)));
        return [];
      case "check":
        this.#checks.push(checkOf(rest[0] ?? "", rest[1] ?? ""));
        return [];
      case "now":
        this.#nowMs = Date.parse(rest[0] ?? "");
        if (Number.isNaN(this.#nowMs)) throw new Error(`no time: ${line}`);
        if (this.#world === undefined) return [];
        this.#world.sleepUntil(this.#nowMs);
        return this.#evaluated(this.#world);
      case "why":
        return this.#why(rest.join(" "));
      default:
        this.#happens(verb, rest);
        return this.#evaluated(this.#start());
    }
  }

  #start(): ConditionWorld {
    if (this.#world !== undefined) return this.#world;
    const graph: Graph = buildGraph(
      locationsOf(this.#assets).map((location) => ({
        ...location,
        checks: this.#checks
          .filter(({ asset }) => asset.startsWith(`${location.team}/`))
          .map((definition) => ({ definition, hash: definition.name, firstSeenMs: 0 })),
      })),
      new Map(),
    );
    expect(graph.errors).toEqual([]);
    return (this.#world = new ConditionWorld(graph, this.#nowMs));
  }

  #happens(verb: string, rest: readonly string[]): void {
    const world = this.#start();
    const results = rest.filter((word) => word.includes("="));
    const [asset = "", ...words] = rest.filter((word) => !word.includes("="));
    const partitioned = asset !== "" && world.node(asset).definition.partitions !== undefined;
    const place = partitioned ? `${asset} ${words.shift() ?? ""}` : asset;
    const outcomes = results.map((word) => {
      const [check = "", outcome = ""] = word.split("=");
      return [`${asset.split("/")[0] ?? ""}:${check}`, outcome as ResultView["outcome"]] as const;
    });
    switch (verb) {
      case "made":
        return world.make(place, Object.fromEntries(outcomes));
      case "judged":
        for (const [check, outcome] of outcomes) world.judge(place, check, outcome);
        return;
      case "waived":
        return world.waive(place, `${asset.split("/")[0] ?? ""}:${words[0] ?? ""}`);
      case "discarded":
        return world.discard(place);
      case "started":
        return world.begin(place);
      case "failed":
      case "blocked":
      case "canceled":
        return world.end(place, verb);
      case "restarted":
        return world.restart();
      case "evaluated":
        return;
      default:
        throw new Error(`nothing is known that is called ${verb}`);
    }
  }

  #evaluated(world: ConditionWorld): string[] {
    const said: string[] = [];
    for (let round = 0; round < 100; round++) {
      const { evaluations, requests } = world.step();
      for (const { node, requests: set } of evaluations) {
        if (!rangeSet.isEmpty(set)) said.push(`requests ${node.key} ${partitionsText(node.space, set)}`.trimEnd());
      }
      if (requests.length === 0) break;
    }
    return said;
  }

  #why(place: string): readonly string[] {
    const world = this.#start();
    const node = world.node(place);
    const ordinal = node.space.ordinalOf(place.split(" ")[1] ?? "") ?? 0;
    const truth = world.evaluation(node.key)?.truth;
    return truth === undefined ? ["it has no condition"] : whyNotRequested(truth, ordinal);
  }
}

function readAsset(text: string): ReturnType<typeof assetOf> {
  const [, key = "", kind, start, reads = "", condition = ""] =
    /^(\S+)(?: (daily|monthly) (\S+))?(?: reads (.*?))?(?: when (.*))?$/.exec(text) ?? [];
  const cron = kind === "monthly" ? "0 0 1 * *" : "0 0 * * *";
  const partitions =
    kind === undefined ? undefined : ({ kind: "timeWindow", cron, timezone: "UTC", start: start ?? "" } as const);
  const edges = reads === "" ? [] : reads.split(", ").map(readEdge);
  return assetOf(key, edges, {
    ...(partitions === undefined ? {} : { partitions }),
    ...(condition === "" ? {} : { automation: JSON.parse(condition) as Condition }),
  });
}

function readEdge(text: string): DependencyText {
  const [, last, asset = "", how] = /^(last )?([^(]+)(?:\((.*)\))?$/.exec(text) ?? [];
  return {
    asset,
    mode: last === undefined ? "strict" : "lastValidated",
    ...(how === undefined
      ? {}
      : {
          mapping:
            how === "all" ? { kind: "all" } : { kind: "window", startOffset: Number(how), endOffset: Number(how) },
        }),
  };
}
