import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { classes } from "../../parts/classes.ts";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import { assetWords } from "../asset-words.ts";
import { assetLook } from "../picture/asset-look.ts";
import type { GraphModel } from "../picture/graph-model.ts";
import { type GraphState, gateStateOf } from "../picture/graph-state.ts";
import { type TreeRow, treeRows } from "../tree-rows.ts";
import styles from "../graph.module.css";

const rowPx = 28;
/** A graph of this size has all its teams open at first. */
const openAtFirstMax = 60;

/** The same graph as words: what the picture shows to the eye, for keys and for screen readers. */
export function AssetTree(props: {
  readonly model: GraphModel;
  readonly state: GraphState;
  readonly found: Uint8Array | undefined;
  readonly selected: number | undefined;
  readonly select: (asset: number | undefined) => void;
  readonly showTeam: (team: number) => void;
}) {
  const { model, state, found, selected, select, showTeam } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const small = model.keys.length <= openAtFirstMax;
  const [toggled, setToggled] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState(0);
  const open = useMemo(() => {
    const all = new Set<number>();
    for (const [team] of model.teams.entries()) if ((small || found !== undefined) !== toggled.has(team)) all.add(team);
    return all;
  }, [model, small, found, toggled]);
  const rows = useMemo(() => treeRows(model, open, found), [model, open, found]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 12,
  });
  const toggle = (team: number) => setToggled((before) => flipped(before, [team]));
  const go = (index: number) => {
    if (rows.length === 0) return;
    const next = Math.min(Math.max(index, 0), rows.length - 1);
    setActive(next);
    virtual.scrollToIndex(next);
  };

  // What is chosen in the picture is shown here too.
  const revealed = useRef<number>(undefined);
  useEffect(() => {
    if (selected === undefined || revealed.current === selected) return;
    const team = model.team[selected];
    if (team !== undefined && !open.has(team)) return toggle(team);
    const index = rows.findIndex((row) => row.kind === "asset" && row.asset === selected);
    if (index < 0) return;
    // Once: whoever closes the team afterwards wants it closed.
    revealed.current = selected;
    go(index);
  });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows[active];
    const act = keyAct(event.key, row, rows, active, { go, toggle, select, showTeam });
    if (act !== undefined) {
      event.preventDefault();
      act();
      return;
    }
    if (event.key === "*" || event.key === "E") {
      event.preventDefault();
      const anyShut = model.teams.some((_, team) => !open.has(team));
      setToggled((before) =>
        flipped(
          before,
          model.teams.flatMap((_, team) => (open.has(team) === anyShut ? [] : [team])),
        ),
      );
    }
  };

  const activeRow = rows[active];
  return (
    <div
      ref={scroller}
      className={styles.tree}
      role="tree"
      aria-label="Assets by team"
      tabIndex={0}
      aria-activedescendant={activeRow === undefined ? undefined : rowId(id, activeRow)}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <Row
              key={rowId(id, row)}
              id={rowId(id, row)}
              row={row}
              top={start}
              model={model}
              state={state}
              active={index === active}
              selected={row.kind === "asset" && row.asset === selected}
              act={() => {
                setActive(index);
                if (row.kind === "asset") select(row.asset);
                else toggle(row.team);
              }}
            />
          );
        })}
      </div>
    </div>
  );
}

function rowId(id: string, row: TreeRow): string {
  return row.kind === "team" ? `${id}-team-${row.team}` : `${id}-asset-${row.asset}`;
}

function flipped(before: ReadonlySet<number>, teams: readonly number[]): ReadonlySet<number> {
  const after = new Set(before);
  for (const team of teams) if (!after.delete(team)) after.add(team);
  return after;
}

interface TreeActs {
  readonly go: (index: number) => void;
  readonly toggle: (team: number) => void;
  readonly select: (asset: number) => void;
  readonly showTeam: (team: number) => void;
}

/** What a key does in a tree, as the pattern of WAI-ARIA has it. */
function keyAct(
  key: string,
  row: TreeRow | undefined,
  rows: readonly TreeRow[],
  active: number,
  acts: TreeActs,
): (() => void) | undefined {
  const { go, toggle, select, showTeam } = acts;
  if (row === undefined) return undefined;
  switch (key) {
    case "ArrowDown":
    case "j":
      return () => go(active + 1);
    case "ArrowUp":
    case "k":
      return () => go(active - 1);
    case "Home":
      return () => go(0);
    case "End":
      return () => go(rows.length - 1);
    case "PageDown":
      return () => go(active + 15);
    case "PageUp":
      return () => go(active - 15);
    case "ArrowRight":
      return row.kind === "team" ? () => (row.open ? go(active + 1) : toggle(row.team)) : () => undefined;
    case "ArrowLeft":
      if (row.kind === "team") return () => (row.open ? toggle(row.team) : undefined);
      return () => go(rows.findIndex((one) => one.kind === "team" && one.team === row.team));
    case "Enter":
    case " ":
      return row.kind === "asset"
        ? () => select(row.asset)
        : () => (key === " " ? toggle(row.team) : showTeam(row.team));
    default:
      return undefined;
  }
}

function Row(props: {
  readonly id: string;
  readonly row: TreeRow;
  readonly top: number;
  readonly model: GraphModel;
  readonly state: GraphState;
  readonly active: boolean;
  readonly selected: boolean;
  readonly act: () => void;
}) {
  const { id, row, top, model, state, active, selected, act } = props;
  const position = {
    id,
    role: "treeitem",
    "aria-setsize": row.of,
    "aria-posinset": row.place,
    style: { transform: `translateY(${top}px)` },
  };
  const className = classes(styles.row, active && styles.activeRow, selected && styles.selectedRow);
  if (row.kind === "team") {
    return (
      <div
        {...position}
        className={classes(className, styles.teamRow)}
        aria-level={1}
        aria-expanded={row.open}
        aria-selected={false}
        onClick={act}
      >
        {row.open ? <ChevronDown size={14} aria-hidden="true" /> : <ChevronRight size={14} aria-hidden="true" />}
        <span className={styles.rowName}>{model.teams[row.team]}</span>
        <span className={styles.rowCount}>{row.shown}</span>
      </div>
    );
  }
  const name = model.names[row.asset];
  const gate = gateStateOf(state, row.asset);
  return (
    <div
      {...position}
      className={className}
      aria-level={2}
      aria-selected={selected}
      aria-label={`${name}, ${assetWords(model, state, row.asset)}`}
      onClick={act}
    >
      <StatusGlyph look={assetLook(state, row.asset)} />
      <span className={styles.rowName}>{name}</span>
      {gate === "closed" ? <span className={styles.rowGate}>gate closed</span> : null}
    </div>
  );
}
