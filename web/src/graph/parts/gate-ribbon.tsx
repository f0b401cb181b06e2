import { ChevronDown, ChevronUp, Lock } from "lucide-react";
import { useState } from "react";
import type { ItemOf } from "../../api/answers.ts";
import { blocksText } from "../../pages/home/blocks-text.ts";
import { Button } from "../../parts/button.tsx";
import { Ago } from "../../parts/time.tsx";
import styles from "../graph.module.css";

type Gate = ItemOf<"listGates">;

const shownMax = 20;

/** Closed gates, those that hold most first: which check, what it said, what waits, since when and whose it is. */
export function GateRibbon(props: {
  readonly gates: readonly Gate[];
  readonly count: number;
  readonly show: (gate: Gate) => void;
  readonly showBlocked: (gate: Gate) => void;
}) {
  const { gates, count, show, showBlocked } = props;
  const [all, setAll] = useState(false);
  const [first] = gates;
  if (first === undefined) return null;
  return (
    <section className={styles.ribbon} aria-label="Closed gates">
      <Lock size={15} aria-hidden="true" className={styles.ribbonLock} />
      <strong className={styles.ribbonCount}>{count === 1 ? "1 gate closed" : `${count} gates closed`}</strong>
      <ul className={styles.ribbonGates}>
        {(all ? gates.slice(0, shownMax) : [first]).map((gate) => (
          <li key={gate.asset}>
            <span className={styles.ribbonText}>
              <span className={styles.ribbonReason}>{reasonOf(gate)}</span>{" "}
              <span className={styles.muted}>
                {blocksText(gate.blocks)} · <Ago at={gate.since} /> · {gate.owner.team}
              </span>
            </span>
            <span className={styles.ribbonActs}>
              <Button kind="quiet" onClick={() => show(gate)}>
                Show
              </Button>
              {gate.blocks.assets === 0 ? null : (
                <Button kind="quiet" onClick={() => showBlocked(gate)}>
                  What waits
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {gates.length < 2 ? null : (
        <Button kind="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Fewer" : "All"}
          {all ? <ChevronUp size={14} aria-hidden="true" /> : <ChevronDown size={14} aria-hidden="true" />}
        </Button>
      )}
    </section>
  );
}

function reasonOf({ asset, partitions, versions }: Gate): string {
  const message = versions[0]?.reasons[0]?.message;
  return message ?? `${asset} ${partitions}`.trim();
}
