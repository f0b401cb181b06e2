import type { Answered } from "../../api/answers.ts";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { AssetLink } from "../../parts/links.tsx";
import { RemedyList } from "../../parts/reasons.tsx";
import { forecastLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import styles from "./launch-page.module.css";

type PlannedStep = Answered<"plan">["steps"][number];

const columns: readonly Column<PlannedStep>[] = [
  {
    name: "Forecast",
    width: "7rem",
    cell: ({ forecast }) => <StatusWord look={forecastLooks[forecast]} name={forecast} />,
  },
  {
    name: "Step",
    width: "minmax(14rem, 1fr)",
    cell: ({ asset, partition, kind }) => (
      <>
        {kind === "checks" ? "checks of " : ""}
        <AssetLink asset={asset} partition={partition} />
      </>
    ),
  },
  { name: "Code location", width: "9rem", cell: ({ location }) => location },
  {
    name: "Why",
    width: "minmax(14rem, 1.6fr)",
    cell: ({ reasons, added }) =>
      reasons[0] === undefined ? (
        added ? (
          "computed together with what is selected"
        ) : (
          ""
        )
      ) : (
        <span title={reasons.map(({ message }) => message).join("\n")}>{reasons[0].message}</span>
      ),
  },
];

/** What a run would do, a step a line, and what would open the gates that block some. */
export function PlanTable({ plan }: { readonly plan: Answered<"plan"> }) {
  return (
    <>
      <div className={styles.plan}>
        <DataTable label="Planned steps" columns={columns} rows={plan.steps} keyOf={({ index }) => String(index)} />
      </div>
      {plan.remedies.length === 0 ? null : (
        <div className={styles.remedies}>
          <RemedyList remedies={plan.remedies} />
        </div>
      )}
      {plan.leftOut.length === 0 ? null : (
        <p className={styles.remedies}>Left out, because others report them: {plan.leftOut.join(", ")}</p>
      )}
    </>
  );
}
