import type { Answered } from "../../api/answers.ts";
import { Panel } from "../../parts/panel.tsx";
import { StatusWord } from "../../status/status-word.tsx";
import { locationLooks } from "../../status/status-dictionary.ts";
import styles from "./home-page.module.css";

const shownMax = 50;

/** Code locations that do not answer, definitions that do not load, and lines of workspace.yaml that are wrong. */
export function LocationTroubles({ items, problems }: Answered<"listLocations">) {
  const present = items.filter(({ removed }) => !removed);
  const down = present.filter(({ state }) => state !== "healthy");
  const refused = present.flatMap(({ name, problems: own }) => own.map((problem) => ({ name, problem })));
  if (down.length + refused.length + problems.length === 0) return null;
  return (
    <Panel title="Definitions and code locations" aside={down.length + refused.length + problems.length}>
      <ul className={styles.troubles}>
        {problems.map(({ file, line, message, hint }) => (
          <li key={`${file} ${line} ${message}`}>
            <code>{line === null ? file : `${file}:${line}`}</code> {message}{" "}
            <span className={styles.muted}>{hint}</span>
          </li>
        ))}
        {down.map(({ name, state, error }) => (
          <li key={name}>
            <StatusWord look={locationLooks[state]} name={state} /> <strong>{name}</strong> {error?.message}{" "}
            <span className={styles.muted}>{error?.hint}</span>
          </li>
        ))}
        {refused.slice(0, shownMax).map(({ name, problem }) => (
          <li key={`${name} ${problem.kind} ${problem.key} ${problem.code}`}>
            <strong>{problem.key}</strong> {problem.message} <span className={styles.muted}>{problem.hint}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
