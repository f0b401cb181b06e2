import { useQuery } from "@tanstack/react-query";
import { query } from "../../api/queries.ts";
import { classes } from "../../parts/classes.ts";
import { Problem } from "../../parts/notice.tsx";
import { ReasonList } from "../../parts/reasons.tsx";
import { Ago } from "../../parts/time.tsx";
import { RunLink } from "../../parts/links.tsx";
import { type PartitionStatus, partitionLooks } from "../../status/status-dictionary.ts";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import { blocksText } from "../home/blocks-text.ts";
import type { Asset } from "./shown-asset.ts";
import styles from "./asset-page.module.css";

const sentences: Readonly<Record<PartitionStatus, string>> = {
  materializing: "is being materialized",
  failed: "is closed: a check failed",
  errored: "is closed: a check reached no verdict",
  pending: "is closed until its checks have run",
  computeFailed: "was not made: its compute failed",
  blocked: "is blocked",
  waived: "is open, by waiver",
  warned: "is open, with a warning",
  passed: "is open: its checks passed",
  unchecked: "is open; no check guards it",
  neverMaterialized: "has never been materialized",
};

/** Why the asset, or the partition of it that most needs an eye, is as it is: the stored decision, to the root. */
export function GateBar({ asset, partition }: { readonly asset: Asset; readonly partition: string | undefined }) {
  const shown = partition ?? firstOf(asset);
  const why = useQuery({
    ...query("why", { params: { key: asset.key }, query: { partition: shown ?? "" } }),
    enabled: shown !== undefined,
  });
  const gates = useQuery(query("listGates", { query: { selection: `"${asset.key}"` } }));
  if (shown === undefined) return null;
  if (why.error !== null) return <Problem error={why.error} />;
  if (why.data === undefined) return <div className={styles.gateBar} />;
  const { status, reasons, remedies, decision, failure, madeBy } = why.data;
  const gate = gates.data?.items[0];
  return (
    <section className={classes(styles.gateBar, styles[partitionLooks[status].tone])} aria-label="Gate">
      <p className={styles.why}>
        <StatusGlyph look={partitionLooks[status]} size={16} />
        <strong>
          {shown === "" ? "It" : shown} {sentences[status]}
        </strong>
        <span className={styles.muted}>
          {decision === null ? null : (
            <>
              decided <Ago at={decision.at} /> for {decision.source}
            </>
          )}
          {madeBy === null ? null : (
            <>
              {" "}
              made by run <RunLink id={madeBy.id} />
            </>
          )}
        </span>
        {gate === undefined ? null : <span className={styles.muted}>{blocksText(gate.blocks)}</span>}
      </p>
      {failure === null ? null : (
        <p>
          {failure.error?.message} <span className={styles.muted}>{failure.error?.hint}</span> in run{" "}
          <RunLink id={failure.run} />
        </p>
      )}
      {reasons.length === 0 ? null : <ReasonList reasons={reasons} remedies={remedies} />}
    </section>
  );
}

/** Ranges are ordered by what most needs an eye. */
function firstOf({ partitioned, ranges }: Asset): string | undefined {
  if (!partitioned) return "";
  return ranges[0]?.partitions.split(/, |\.\./, 1)[0];
}
