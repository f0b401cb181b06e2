import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useMemo, useState } from "react";
import { ApiProblem } from "../../api/api-problem.ts";
import { query } from "../../api/queries.ts";
import { Button } from "../../parts/button.tsx";
import { classes } from "../../parts/classes.ts";
import fields from "../../parts/field.module.css";
import { Empty, Problem } from "../../parts/notice.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { Panel } from "../../parts/panel.tsx";
import { useAction } from "../../parts/use-action.ts";
import { AssetConfig } from "./asset-config.tsx";
import { type ConfigField, configFields, fieldValue } from "./config-fields.ts";
import { type Draft, emptyDraft, keepDraft, readDraft } from "./draft.ts";
import { PlanTable } from "./plan-table.tsx";
import styles from "./launch-page.module.css";

const settleMs = 350;
const configuredMax = 20;

/** A run in the making: what is selected, what it would do and what would be blocked, and the config of what it computes. */
export function LaunchPage() {
  const search = useSearch({ from: "/launch" });
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Draft>(() => fromAddress(search) ?? readDraft());
  const settled = useSettled(draft);
  const asked = settled.selection.trim() !== "";
  useEffect(() => keepDraft(draft), [draft]);
  const bare = {
    selection: settled.selection,
    ...(settled.partitions === "" ? {} : { partitions: settled.partitions }),
  };
  const plan = useQuery({
    ...query("plan", { body: { ...bare, whenOpen: settled.whenOpen } }),
    enabled: asked,
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });
  const steps = plan.data?.steps ?? [];
  const configured = useConfigured(asked ? steps.map(({ asset }) => asset) : []);
  const launch = useAction("createRun", ({ id }) => {
    keepDraft(emptyDraft);
    void navigate({ to: "/runs/$id", params: { id } });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    launch.mutate({ body: requestOf(draft, configured) });
  };
  const errors = launch.error instanceof ApiProblem ? launch.error.errors : [];
  return (
    <form className={styles.form} onSubmit={submit}>
      <PageHeader
        title="Launch"
        actions={
          <>
            <Button onClick={() => setDraft(emptyDraft)}>Clear</Button>
            <Button type="submit" kind="primary" disabled={!asked || launch.isPending || plan.error !== null}>
              {launch.isPending ? "Launching" : "Launch"}
            </Button>
          </>
        }
      />
      <div className={styles.request}>
        <label>
          Assets
          <input
            className={classes(fields.field, plan.error !== null && asked && fields.wrong)}
            data-page-filter
            required
            spellCheck={false}
            placeholder="flights/clean_flights, +analytics/half_year_summary, team:flights"
            value={draft.selection}
            onChange={(event) => setDraft({ ...draft, selection: event.target.value })}
          />
        </label>
        <label>
          Partitions
          <input
            className={fields.field}
            spellCheck={false}
            placeholder="every one; or 2001-03, 2001-01..2001-06"
            value={draft.partitions}
            onChange={(event) => setDraft({ ...draft, partitions: event.target.value })}
          />
        </label>
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={draft.whenOpen}
            onChange={(event) => setDraft({ ...draft, whenOpen: event.target.checked })}
          />
          Wait for closed gates to open, instead of ending blocked
        </label>
      </div>
      {launch.error === null ? null : <Problem error={launch.error} />}
      {plan.error === null || !asked ? null : <Problem error={plan.error} />}
      {asked ? null : <Empty>Say which assets. What the run would do is shown here before it does anything.</Empty>}
      {configured.map(({ asset, fields: own }) => (
        <AssetConfig
          key={asset}
          asset={asset}
          fields={own}
          values={draft.config[asset] ?? {}}
          errors={errors.filter(({ path }) => path.includes(asset))}
          change={(values) => setDraft({ ...draft, config: { ...draft.config, [asset]: values } })}
        />
      ))}
      {plan.data === undefined || !asked || plan.error !== null ? null : (
        <Panel
          title="Plan"
          aside={`${plan.data.runs} run, ${plan.data.waits} wait for others, ${plan.data.blocked} blocked`}
        >
          <PlanTable plan={plan.data} />
        </Panel>
      )}
    </form>
  );
}

function fromAddress({ sel, partitions }: { readonly sel?: string; readonly partitions?: string }): Draft | undefined {
  return sel === undefined ? undefined : { ...emptyDraft, selection: sel, partitions: partitions ?? "" };
}

/** What was typed, once nothing more is typed for a moment. */
function useSettled(draft: Draft): Draft {
  const [settled, setSettled] = useState(draft);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(draft), settleMs);
    return () => clearTimeout(timer);
  }, [draft]);
  return settled;
}

export interface Configured {
  readonly asset: string;
  readonly fields: readonly ConfigField[];
}

/** The assets among these whose compute takes config. */
function useConfigured(assets: readonly string[]): readonly Configured[] {
  const keys = useMemo(() => [...new Set(assets)].slice(0, configuredMax), [assets]);
  const answers = useQueries({ queries: keys.map((key) => query("getAsset", { params: { key } })) });
  return answers.flatMap(({ data }) => {
    const own = data === undefined ? [] : configFields(data.configSchema);
    return data === undefined || own.length === 0 ? [] : [{ asset: data.key, fields: own }];
  });
}

function requestOf({ selection, partitions, config, whenOpen }: Draft, configured: readonly Configured[]) {
  const entries = configured.flatMap(({ asset, fields: own }) => {
    const typed = config[asset] ?? {};
    const values = own.flatMap(({ name, type }) => {
      const text = typed[name];
      return text === undefined || text === "" ? [] : [[name, fieldValue(type, text)] as const];
    });
    return values.length === 0 ? [] : [[asset, Object.fromEntries(values)] as const];
  });
  return {
    selection,
    ...(partitions.trim() === "" ? {} : { partitions }),
    config: Object.fromEntries(entries),
    whenOpen,
  };
}
