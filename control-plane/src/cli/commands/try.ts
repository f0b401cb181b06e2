import type { Trial, TrialOutcome, TrialPlan } from "@headgate/sdk/serve";
import type { Answer, Routes } from "../../http/contract.ts";
import { shutdownSignal } from "../../processes/shutdown.ts";
import { type ApiClient, apiClient, segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { exitStatus } from "../exit-status.ts";
import { type Paint, painter } from "../paint.ts";
import type { TryCommand } from "../process-commands.ts";
import { readRunConfig } from "../run-options.ts";
import { processTerminal, type Terminal } from "../terminal.ts";
import { scratchFolder } from "./try-folder.ts";
import { attemptInputs, type ReadInput, validatedInputs } from "./try-inputs.ts";
import { findLocation, type TriedLocation } from "./try-location.ts";
import { blockedText, checkLine, endText, startText } from "./try-report.ts";

type Attempt = Answer<Routes["getAttempt"]>;
type Config = Readonly<Record<string, unknown>>;

/** What a trial is made of, beside the command. */
interface Setting {
  readonly command: TryCommand;
  readonly terminal: Terminal;
  readonly paint: Paint;
  readonly api: ApiClient;
  readonly signal: AbortSignal;
}

/**
 * Computes and checks one asset from the checkout, on validated inputs of a control plane or on those of an attempt.
 * Its value goes to a scratch folder, and nothing is told to the control plane. Returns the exit status.
 */
export async function tryAsset(command: TryCommand): Promise<number> {
  const terminal = processTerminal();
  const stop = new AbortController();
  void shutdownSignal().then(() => stop.abort(new Error("canceled")));
  const { url, token } = command;
  const setting: Setting = {
    command,
    terminal,
    paint: painter(terminal.colors),
    api: apiClient({ HEADGATE_URL: url, ...(token === undefined ? {} : { HEADGATE_TOKEN: token }) }),
    signal: stop.signal,
  };
  try {
    return await tried(setting);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    terminal.err("Canceled.\n");
    return exitStatus.canceled;
  }
}

async function tried(setting: Setting): Promise<number> {
  const { command, terminal, paint, api, signal } = setting;
  const attempt = command.attempt === undefined ? undefined : await readAttempt(api, command.attempt, command);
  const location = await findLocation({
    ...command,
    signal,
    inspecting: command.inspect ? (url) => terminal.err(debuggerText(url)) : undefined,
  });
  const { trial } = location;
  // Whatever ends this process must not leave a worker behind that waits for a debugger.
  const kill = () => trial.kill();
  process.once("exit", kill);
  try {
    const plan = await plannedTrial(trial, command, attempt);
    const config = await configFor(command, attempt);
    const found =
      attempt === undefined
        ? await validatedInputs(api, plan)
        : ({ blocked: false, inputs: attemptInputs(attempt, plan) } as const);
    if (found.blocked) {
      const { assetKey: asset, partitionKey: partition } = plan;
      if (command.json) terminal.out(jsonText({ asset, partition, status: "blocked", reasons: found.reasons }));
      else terminal.out(blockedText(paint, plan, found.reasons));
      return exitStatus.blocked;
    }
    if (!command.json) terminal.out(startText(paint, plan, location.name, found.inputs, config, terminal.now()));
    return await run(setting, location, plan, found.inputs, config, attempt);
  } finally {
    await trial.close();
    process.off("exit", kill);
  }
}

async function readAttempt(api: ApiClient, id: string, { asset, partition }: TryCommand): Promise<Attempt> {
  const attempt = await api.get("getAttempt", `/attempts/${segment(id)}`);
  const hint = `Try what it made: npx headgate try ${attempt.asset} --attempt ${id}`;
  if (attempt.asset !== asset || (partition !== undefined && partition !== attempt.partition)) {
    const of = `${attempt.asset}${attempt.partition === "" ? "" : `, partition ${attempt.partition}`}`;
    throw new CliError("try.other_attempt", `Attempt ${id} is of ${of}.`, hint);
  }
  if (attempt.kind === "materialize") return attempt;
  throw new CliError("try.other_attempt", `Attempt ${id} ran checks, and computed nothing.`, "Name one that computed.");
}

async function plannedTrial(trial: Trial, command: TryCommand, attempt: Attempt | undefined): Promise<TrialPlan> {
  const partition = command.partition ?? (attempt?.partition || undefined);
  const planned = await trial.plan(command.asset, partition, Date.now());
  if (planned?.ok === true) return planned.plan;
  if (planned === undefined) throw new CliError("try.not_loaded", "The code location does not load.", "See above.");
  const { code, message, hint } = planned.refusal;
  throw new CliError(code, message, hint);
}

/** As a run would be given it: what the attempt's run had, then what is given here. Undefined: none. */
async function configFor(
  { asset, configFile, settings }: TryCommand,
  attempt: Attempt | undefined,
): Promise<Config | undefined> {
  const given = await readRunConfig(configFile, settings);
  const stranger = configFile === undefined ? Object.keys(given).find((key) => key !== asset) : undefined;
  if (stranger !== undefined) {
    throw new CliError(
      "try.config_unknown_asset",
      `Config for ${stranger}, and ${asset} is tried.`,
      `Write --set ${asset}.field=value.`,
    );
  }
  const config = { ...attempt?.config, ...given[asset] };
  return Object.keys(config).length === 0 ? undefined : config;
}

async function run(
  { command, terminal, paint }: Setting,
  { trial, folder }: TriedLocation,
  plan: TrialPlan,
  inputs: readonly ReadInput[],
  config: Config | undefined,
  attempt: Attempt | undefined,
): Promise<number> {
  const scratch = await scratchFolder(command.dataDir, plan.assetKey, plan.partitionKey, terminal.now());
  const blocking = new Set(plan.checks.filter((check) => check.blocking).map(({ name }) => name));
  const startedAt = performance.now();
  const outcome = await trial.run(
    { plan, inputs, config, folder: scratch, runTags: attempt?.tags ?? {} },
    {
      log: (stream, text) => {
        if (command.json || stream === "stderr") terminal.err(text);
        else terminal.out(text);
      },
      check: (check) => {
        if (!command.json) terminal.out(checkLine(paint, check, blocking.has(check.name)));
      },
    },
  );
  const durationMs = Math.round(performance.now() - startedAt);
  const state = stateOf(outcome, blocking);
  if (command.json) {
    const { assetKey: asset, partitionKey: partition } = plan;
    const read = inputs.map(({ name, assetKey, read: versions, leftOut }) => ({
      name,
      asset: assetKey,
      versions,
      leftOut,
    }));
    const { outcome: _outcome, error = null, value = null, preview = null, ...rest } = outcome;
    const facts = { asset, partition, status: state, inputs: read, config: config ?? {}, scratch, durationMs };
    terminal.out(jsonText({ ...facts, ...rest, error, value, preview }));
  } else terminal.out(endText(paint, plan, outcome, { state, folder, scratch, durationMs }));
  return statusOf[state];
}

type State = "succeeded" | "failed" | "blocked" | "canceled";

const statusOf: Readonly<Record<State, number>> = {
  succeeded: exitStatus.succeeded,
  failed: exitStatus.failed,
  blocked: exitStatus.blocked,
  canceled: exitStatus.canceled,
};

/** As a run of this one step would end. */
function stateOf({ outcome, checks }: TrialOutcome, blocking: ReadonlySet<string>): State {
  switch (outcome) {
    case "canceled":
      return "canceled";
    case "failed":
    case "timedOut":
    case "crashed":
      return "failed";
    case "succeeded":
      return checks.some((check) => check.outcome === "failed" && blocking.has(check.name)) ? "blocked" : "succeeded";
  }
}

function debuggerText(url: string): string {
  const { host } = new URL(url);
  return `Waiting for a debugger at ${url}\n  in an editor, attach to ${host}; in Chrome, open chrome://inspect\n`;
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
