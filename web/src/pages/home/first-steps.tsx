import { CommandLine } from "../../parts/command-line.tsx";
import { Panel } from "../../parts/panel.tsx";
import styles from "./home-page.module.css";

const steps: readonly (readonly [string, string])[] = [
  [
    "Make a code location. It comes with an asset, a check, a test and its entry in workspace.yaml.",
    "npx headgate new location orders",
  ],
  ["Hold its definitions against the compiler of the graph.", "npx headgate validate"],
  ["See what a run would do, and what would be blocked.", "npx headgate plan 'team:orders'"],
  ["Run it.", "npx headgate materialize 'team:orders'"],
  ["Ask why something is as it is.", "npx headgate why orders/<asset>"],
];

/** What to do where nothing is defined yet. */
export function FirstSteps() {
  return (
    <Panel title="No asset is defined yet">
      <ol className={styles.steps}>
        {steps.map(([text, command]) => (
          <li key={command}>
            <span>{text}</span>
            <CommandLine command={command} />
          </li>
        ))}
      </ol>
    </Panel>
  );
}
