import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { Graph } from "../../control-plane/src/domain/graph.ts";
import { ancestors, why } from "../../control-plane/src/domain/root-reasons.ts";
import { type ClaimedRun, type StoredStep, claimRuns, readSteps } from "../../control-plane/src/storage/claim-runs.ts";
import { insertDaemon } from "../../control-plane/src/storage/daemons.ts";
import { type Flush, driveFlush, emptyFlush } from "../../control-plane/src/storage/drive-flush.ts";
import { claimBy } from "../support/drive-rows.ts";
import { loadGateView } from "../../control-plane/src/storage/gate-state.ts";
import type { MetadataRow } from "../../control-plane/src/storage/schema.ts";

export interface PlayedCheck {
  readonly name: string;
  readonly team?: string;
  readonly outcome: "passed" | "warned" | "failed" | "errored";
  readonly description?: string;
  readonly metadata?: readonly MetadataRow[];
}

/** What a location would have said about a step: that it threw, or what its checks found. */
export type PlayedStep = { readonly threw: string } | { readonly checks: readonly PlayedCheck[] };

/** Drives queued runs in the place of a daemon and its locations: the same storage functions, no processes. */
export class PlayedDrive {
  readonly #pool: pg.Pool;
  readonly #graph: () => Graph;
  readonly #say: (step: StoredStep) => PlayedStep;
  readonly #id = randomUUID();

  constructor(pool: pg.Pool, graph: () => Graph, say: (step: StoredStep) => PlayedStep) {
    this.#pool = pool;
    this.#graph = graph;
    this.#say = say;
  }

  async open(): Promise<void> {
    await insertDaemon(this.#pool, { id: this.#id, host: "test", pid: process.pid, processStart: "" });
  }

  /** Takes what is queued without going on with it. */
  async claim(): Promise<readonly ClaimedRun[]> {
    return (await claimRuns(this.#pool, claimBy(this.#id))).runs;
  }

  /** Plays every queued run to its end. */
  async playAll(): Promise<void> {
    for (const run of await this.claim()) await this.play(run);
  }

  async play(run: ClaimedRun): Promise<void> {
    const states = new Map<number, string>();
    for (const step of await readSteps(this.#pool, [run.id])) {
      if (step.after.some((index) => states.get(index) === "failed" || states.get(index) === "skipped")) {
        states.set(step.index, "skipped");
        await this.#end(run, step, "skipped", {});
      } else {
        states.set(step.index, await this.#playStep(run, step));
      }
    }
    const all = [...states.values()];
    const state = all.includes("failed") ? "failed" : all.includes("blocked") ? "blocked" : "succeeded";
    await this.#flush({
      runs: [{ id: run.id, state, ended: true }],
      events: [{ kind: `run_${state}`, runId: run.id, payload: {} }],
    });
  }

  async #playStep(run: ClaimedRun, step: StoredStep): Promise<string> {
    const graph = this.#graph();
    const node = graph.asset(step.asset_key);
    if (node === undefined) throw new Error(`${step.asset_key} is not in the graph`);
    const view = await loadGateView(
      this.#pool,
      ancestors([node]).map(({ key }) => key),
    );
    const reasons = step.kind === "checks" ? [] : why(graph, node, step.partition_key, view, Date.now());
    if (reasons.length > 0) {
      const decision = {
        id: randomUUID(),
        assetKey: step.asset_key,
        partitionKey: step.partition_key,
        runId: run.id,
        stepIndex: step.index,
        source: "run" as const,
        reasons,
        event: 1,
      };
      await this.#end(run, step, "blocked", { decisions: [decision] }, { reasons });
      return "blocked";
    }
    const attempt = randomUUID();
    const version = step.version_id ?? randomUUID();
    await this.#lease(run, step, attempt, version);
    const said = this.#say(step);
    if ("threw" in said) {
      const error = { code: "compute.threw", message: said.threw, stack: `Error: ${said.threw}\n    at compute` };
      const ended = [{ id: attempt, state: "failed" as const, error, sequence: 2 }];
      await this.#end(run, step, "failed", { ended }, { error });
      return "failed";
    }
    const at = { assetKey: step.asset_key, partitionKey: step.partition_key };
    await this.#end(
      run,
      step,
      "succeeded",
      {
        ended: [{ id: attempt, state: "succeeded", error: null, sequence: 2 }],
        bumps: [step.asset_key],
        logs: [
          {
            attemptId: attempt,
            sequence: 1,
            stream: "stdout",
            atMs: Date.now(),
            body: Buffer.from(`made ${step.asset_key} ${step.partition_key}\n`).toString("base64"),
            droppedBytes: 0,
          },
        ],
        versions:
          step.kind === "checks"
            ? []
            : [
                {
                  id: version,
                  ...at,
                  event: 1,
                  runId: run.id,
                  attemptId: attempt,
                  location: step.location,
                  codeVersion: "1",
                  dataVersion: `data-${version}`,
                  value: { scheme: "folder", place: version, mediaType: "text/plain", digest: "d", sizeBytes: 3 },
                  metadata: [{ name: "rows", kind: "integer", value: 6 }],
                  inputs: [],
                  waivers: [],
                },
              ],
        results: said.checks.map((check) => ({
          id: randomUUID(),
          versionId: version,
          ...at,
          team: check.team ?? node.team,
          name: check.name,
          checkVersion: 1,
          outcome: check.outcome,
          description: check.description ?? "",
          metadata: check.metadata ?? [],
          error: null,
          runId: run.id,
          attemptId: attempt,
          event: 1,
        })),
      },
      { versionId: version },
      { attempt, version, checks: said.checks.map(({ name, outcome }) => ({ team: node.team, name, outcome })) },
    );
    return "succeeded";
  }

  async #lease(run: ClaimedRun, step: StoredStep, attempt: string, version: string): Promise<void> {
    const { granted } = await this.#flush({
      leases: [
        {
          id: attempt,
          runId: run.id,
          stepIndex: step.index,
          number: 1,
          epoch: run.epoch,
          kind: step.kind,
          assetKey: step.asset_key,
          partitionKey: step.partition_key,
          location: step.location,
          instanceId: "played",
          versionId: version,
          inputs: [],
          gateAssets: [],
        },
      ],
      leaseEvents: [{ leaseId: attempt, ...place(run, step), kind: "step_leased", payload: { attempt } }],
    });
    if (!granted.includes(attempt)) throw new Error(`no lease for step ${step.index}`);
  }

  async #end(
    run: ClaimedRun,
    step: StoredStep,
    state: "succeeded" | "failed" | "blocked" | "skipped",
    more: Partial<Flush>,
    fields: object = {},
    payload: Record<string, unknown> = {},
  ): Promise<void> {
    await this.#flush({
      ...more,
      steps: [{ runId: run.id, index: step.index, state, ended: true, ...fields }],
      events: [{ kind: `step_${state}`, ...place(run, step), payload }],
    });
  }

  #flush(part: Partial<Flush>) {
    return driveFlush(this.#pool, { ...emptyFlush(this.#id), ...part });
  }
}

function place(run: ClaimedRun, step: StoredStep) {
  return {
    runId: run.id,
    stepIndex: step.index,
    assetKey: step.asset_key,
    partitionKey: step.partition_key,
    location: step.location,
  };
}
