import UFuzzy from "@leeoniya/ufuzzy";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { Command } from "cmdk";
import { useMemo, useState } from "react";
import { query } from "../api/queries.ts";
import { Dialog } from "../parts/dialog.tsx";
import { type PaletteEntry, paletteEntries } from "./palette-entries.ts";
import styles from "./command-palette.module.css";

const shownMax = 50;
const fuzzy = new UFuzzy({ intraMode: 1 });

/** Finds pages, assets and runs by a few letters, and does what can be done with them. */
export default function CommandPalette({ close }: { readonly close: () => void }) {
  const router = useRouter();
  const [typed, setTyped] = useState("");
  const { data } = useQuery(query("getGraph", {}));
  const entries = useMemo(() => paletteEntries(data?.assets ?? []), [data]);
  const shown = useMemo(() => found(entries, typed), [entries, typed]);
  const go = (entry: PaletteEntry) => {
    close();
    router.history.push(entry.href);
  };
  return (
    <Dialog open close={close} title="Search" bare>
      <Command shouldFilter={false} label="Search assets, runs, pages" className={styles.palette}>
        <Command.Input value={typed} onValueChange={setTyped} placeholder="An asset, a page, a run's id" autoFocus />
        <Command.List>
          <Command.Empty>Nothing is called that.</Command.Empty>
          {shown.map((entry) => (
            <Command.Item key={entry.text} value={entry.text} onSelect={() => go(entry)}>
              <span>{entry.text}</span>
              <small>{entry.kind}</small>
            </Command.Item>
          ))}
        </Command.List>
      </Command>
    </Dialog>
  );
}

const runId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function found(entries: readonly PaletteEntry[], typed: string): readonly PaletteEntry[] {
  const needle = typed.trim();
  if (needle === "") return entries.slice(0, shownMax);
  if (runId.test(needle)) return [{ kind: "run", text: needle, href: `/runs/${needle}` }];
  const [indexes, info, order] = fuzzy.search(
    entries.map(({ text }) => text),
    needle,
    1,
  );
  const ordered = order === null ? (indexes ?? []) : order.map((i) => info.idx[i]);
  return ordered.slice(0, shownMax).flatMap((i) => (i === undefined ? [] : (entries[i] ?? [])));
}
