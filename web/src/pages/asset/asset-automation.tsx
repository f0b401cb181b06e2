import { useQuery } from "@tanstack/react-query";
import type { ItemOf } from "../../api/answers.ts";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { RunLink } from "../../parts/links.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Ago } from "../../parts/time.tsx";
import type { Asset } from "./shown-asset.ts";
import styles from "./asset-page.module.css";

type Evaluation = ItemOf<"listEvaluations">;

/** The condition by which the asset is requested, and how it was evaluated: each part, and for which partitions it was true. */
export function AssetAutomation({ asset }: { readonly asset: Asset }) {
  const evaluations = useQuery({
    ...query("listEvaluations", { params: { key: asset.key } }),
    enabled: asset.automation !== null,
  });
  if (asset.automation === null) return <Empty>Nothing requests it by itself: it has no automation condition.</Empty>;
  return (
    <>
      <p>
        It is requested when <code>{asset.automation}</code>
      </p>
      <Panel title="Evaluations">
        <Answer of={evaluations}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty>The condition has not been evaluated yet.</Empty>
            ) : (
              <ul className={styles.rows}>
                {items.map((evaluation) => (
                  <EvaluationRow key={evaluation.id} evaluation={evaluation} />
                ))}
              </ul>
            )
          }
        </Answer>
      </Panel>
    </>
  );
}

function EvaluationRow({ evaluation }: { readonly evaluation: Evaluation }) {
  const { at, requestedCount, run, explanation } = evaluation;
  return (
    <li>
      <p className={styles.rowHead}>
        <strong>{requestedCount === 0 ? "requested nothing" : `requested ${requestedCount}`}</strong>
        <span className={styles.muted}>
          <Ago at={at} />
        </span>
        {run === null ? null : (
          <span>
            run <RunLink id={run} />
          </span>
        )}
      </p>
      <details>
        <summary>Why</summary>
        <ul className={styles.explanation}>
          <Part part={explanation} />
        </ul>
      </details>
    </li>
  );
}

function Part({ part }: { readonly part: Evaluation["explanation"] }) {
  const { text, count, partitions, of } = part;
  return (
    <li>
      <code>{text}</code>{" "}
      <span className={styles.muted}>
        {count === 0 ? "not true" : partitions === "" ? "true" : `true for ${partitions}`}
      </span>
      {of.length === 0 ? null : (
        <ul className={styles.explanation}>
          {of.map((inner, i) => (
            // The parts of a condition stand where they stand.
            <Part key={i} part={inner} />
          ))}
        </ul>
      )}
    </li>
  );
}
