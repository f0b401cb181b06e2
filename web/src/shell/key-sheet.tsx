import { Dialog } from "../parts/dialog.tsx";
import { useSettings } from "../settings/settings.ts";
import { destinations } from "./navigation.ts";
import styles from "./key-sheet.module.css";

const general: readonly (readonly [string, string])[] = [
  ["Ctrl K or ⌘ K", "Search, and do"],
  ["/", "Filter of the page"],
  ["t", "Light or dark"],
  ["y", "Copy the address of what is shown"],
  ["?", "These keys"],
  ["Esc", "Close"],
];

/** Every key there is. */
export function KeySheet({ open, close }: { readonly open: boolean; readonly close: () => void }) {
  const { letterKeys } = useSettings();
  const all = [...general, ...destinations.map(({ key, label }) => [`g ${key}`, label] as const)];
  return (
    <Dialog open={open} close={close} title="Keys">
      <dl className={styles.keys}>
        {all.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      {letterKeys ? null : <p>Keys of one letter are switched off in the settings.</p>}
    </Dialog>
  );
}
