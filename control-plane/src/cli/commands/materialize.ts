import { randomUUID } from "node:crypto";
import type { CommandContext } from "../command-context.ts";
import { print } from "../command-context.ts";
import { exitStatus, exitStatusOfRun } from "../exit-status.ts";
import { followRun } from "../follow-run.ts";
import { readRunConfig, readTags } from "../run-options.ts";
import { leftOutLines } from "../left-out.ts";
import { type Run, readOutcome, summaryText } from "../run-summary.ts";

export interface LaunchOptions {
  readonly partitions?: string;
  readonly partition?: string;
  readonly set?: readonly string[];
  readonly config?: string;
  readonly tag?: readonly string[];
  readonly priority?: number;
  readonly detach?: boolean;
  readonly whenOpen?: boolean;
  readonly idempotencyKey?: string;
}

/** Launches a run and follows it to its end. */
export async function materialize(context: CommandContext, selection: string, options: LaunchOptions): Promise<number> {
  const partitions = options.partitions ?? options.partition;
  const body = {
    selection,
    ...(partitions === undefined ? {} : { partitions }),
    config: await readRunConfig(options.config, options.set ?? []),
    tags: readTags(options.tag ?? []),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    whenOpen: options.whenOpen ?? false,
  };
  const run = await context.api.send("createRun", "POST", "/runs", {
    body,
    idempotencyKey: options.idempotencyKey ?? randomUUID(),
  });
  return followLaunched(context, run, options.detach ?? false);
}

/** Follows what was launched, unless it was to be left alone; the exit status says how it ended. */
export async function followLaunched(context: CommandContext, run: Run, detach: boolean): Promise<number> {
  const { api, terminal, json } = context;
  const steps = `${run.stepCount} ${run.stepCount === 1 ? "step" : "steps"}`;
  const leftOut = leftOutLines(run.leftOut)
    .map((line) => `${line}\n`)
    .join("");
  if (detach) {
    const look = `Look at it with: npx headgate run show ${run.id}`;
    print(context, run, () => `Run ${run.id} is queued: ${steps}. ${look}\n${leftOut}`);
    return exitStatus.succeeded;
  }
  if (!json) terminal.out(`Run ${run.id}: ${steps}\n${leftOut}`);
  const end = await followRun(api, terminal, run, json);
  if (end.kind === "detached") {
    terminal.err(
      `Detached; the run goes on.\n  look at it:  npx headgate run show ${run.id}\n  cancel it:   npx headgate run cancel ${run.id}\n`,
    );
    return exitStatus.detached;
  }
  return showOutcome(context, run.id);
}

/** Prints how a run stands; the exit status is that of its state. */
export async function showOutcome(context: CommandContext, id: string): Promise<number> {
  const outcome = await readOutcome(context.api, id);
  print(context, { ...outcome.run, failed: outcome.failed, blocked: outcome.blocked }, () =>
    summaryText(context.paint, outcome, context.terminal.now()),
  );
  return exitStatusOfRun(outcome.run.state);
}
