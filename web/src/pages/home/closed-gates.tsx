import type { ItemOf } from "../../api/answers.ts";
import { Panel } from "../../parts/panel.tsx";
import { RemedyList } from "../../parts/reasons.tsx";
import { AssetLink } from "../../parts/links.tsx";
import { Ago } from "../../parts/time.tsx";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import { partitionLooks } from "../../status/status-dictionary.ts";
import { blocksText } from "./blocks-text.ts";
import styles from "./home-page.module.css";

type Gate = ItemOf<"listGates">;

/** Closed gates, those that block most first: why, since when, what waits for them, and what opens them. */
export function ClosedGates({ gates, count }: { readonly gates: readonly Gate[]; readonly count: number }) {
  if (count === 0) {
    return (
      <Panel title="Gates">
        <p className={styles.clear}>
          <StatusGlyph look={partitionLooks.passed} /> Every gate is open.
        </p>
      </Panel>
    );
  }
  return (
    <Panel title="Closed gates" aside={count}>
      {gates.map((gate) => (
        <ClosedGate key={gate.asset} gate={gate} />
      ))}
    </Panel>
  );
}

function ClosedGate({ gate }: { readonly gate: Gate }) {
  const [first] = gate.versions;
  return (
    <article className={styles.gate}>
      <div className={styles.gateHead}>
        <h3 className={styles.gateName}>
          <AssetLink asset={gate.asset} /> <code className={styles.muted}>{gate.partitions}</code>
        </h3>
        <span className={styles.muted}>
          <Ago at={gate.since} /> · {gate.owner.team}
        </span>
      </div>
      {(first?.reasons ?? []).map((reason) => (
        <p key={`${reason.kind} ${reason.team} ${reason.check}`} className={styles.reason}>
          {reason.message}
        </p>
      ))}
      <p className={styles.blocks}>
        <StatusGlyph look={partitionLooks.blocked} />
        {blocksText(gate.blocks)}
      </p>
      {first === undefined ? null : <RemedyList remedies={first.remedies} />}
    </article>
  );
}
