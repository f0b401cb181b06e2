import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { ItemOf } from "../api/answers.ts";
import { query } from "../api/queries.ts";
import { classes } from "../parts/classes.ts";
import { Problem } from "../parts/notice.tsx";
import styles from "./graph.module.css";
import { isSelection, marked } from "./looked-for.ts";
import { AssetTree } from "./parts/asset-tree.tsx";
import { GateRibbon } from "./parts/gate-ribbon.tsx";
import { GraphStage, type StageHandle } from "./parts/graph-stage.tsx";
import { GraphToolbar, type Hops } from "./parts/graph-toolbar.tsx";
import { Inspector } from "./parts/inspector.tsx";
import type { GraphModel, Overview } from "./picture/graph-model.ts";
import type { GraphState } from "./picture/graph-state.ts";
import { type Hit, placeOf } from "./picture/scene.ts";
import { parseView } from "./picture/view.ts";
import { useAddress, useViewInAddress } from "./use-address.ts";
import { useDrawing } from "./use-drawing.ts";
import { useGraphKeys } from "./use-graph-keys.ts";
import { useLookedFor } from "./use-looked-for.ts";

interface KnownGraphProps {
  readonly overview: Overview;
  readonly model: GraphModel;
  readonly state: GraphState;
  readonly complete: boolean;
  readonly error: Error | null;
}

const hopsAtFirst: Hops = { up: 1, down: 2 };

export function KnownGraph({ overview, model, state, complete, error }: KnownGraphProps) {
  const { search, change } = useAddress();
  const stage = useRef<StageHandle>(null);
  const [hit, setHit] = useState<Hit>();
  const [listShown, setListShown] = useState(false);
  const selected = search.at === undefined ? undefined : model.numberOf.get(search.at);
  const focus = search.focus === undefined ? undefined : model.numberOf.get(search.focus);
  const hops: Hops = { up: search.up ?? hopsAtFirst.up, down: search.down ?? hopsAtFirst.down };
  // The picture comes first: reading every gate of a large graph keeps the control plane busy for a while.
  const gates = useQuery({ ...query("listGates", {}), enabled: complete });
  const looked = useLookedFor(model, search);

  const found = looked.found;
  const { drawing, ways } = useDrawing({ model, state, overview, selected, focus, hops, hit, found });
  const { scene } = drawing;

  const select = (asset: number | undefined) => change({ at: asset === undefined ? undefined : model.keys[asset] });
  const reveal = (asset: number) => {
    const place = placeOf(scene, asset);
    if (place !== undefined) stage.current?.reveal(place);
  };
  const goTo = (asset: number | undefined) => {
    select(asset);
    if (asset !== undefined) reveal(asset);
  };
  const focusOn = (asset: number) => change({ focus: model.keys[asset], at: model.keys[asset], view: undefined });
  const leaveFocus = () => change({ focus: undefined, up: undefined, down: undefined, view: undefined });
  const setHops = (next: Hops) => change({ up: next.up, down: next.down }, true);
  const showTeam = (team: number) => {
    const box = overview.teams.find((one) => one.team === model.teams[team]);
    if (box !== undefined) stage.current?.fitTo(box);
  };
  const showGate = (gate: ItemOf<"listGates">) => goTo(model.numberOf.get(gate.asset));
  const showBlocked = (gate: ItemOf<"listGates">) => {
    const asset = model.numberOf.get(gate.asset);
    change({ sel: undefined, find: undefined, at: gate.asset });
    looked.showBlocked(asset === undefined ? undefined : state.gateAt.get(asset)?.blocked);
  };
  const entered = (text: string) => {
    if (isSelection(text, model)) return change({ sel: text, find: undefined });
    const hits = found === undefined ? [] : marked(found);
    const next = hits.find((asset) => asset > (selected ?? -1)) ?? hits[0];
    if (next !== undefined) goTo(next);
  };
  const [firstWay] = ways;
  useGraphKeys({
    focus: selected === undefined ? undefined : () => (focus === undefined ? focusOn(selected) : leaveFocus()),
    hops: focus === undefined ? undefined : hops,
    setHops,
    why: firstWay === undefined ? undefined : () => goTo(firstWay.assets.at(-1)),
    fit: () => stage.current?.fit(),
    back: () => {
      if (found !== undefined) looked.clear();
      else if (focus !== undefined) leaveFocus();
      else if (selected !== undefined) select(undefined);
    },
  });

  const viewed = useViewInAddress(search.view, change);
  // An asset that an address names is brought into sight once it is there.
  const arrived = useRef(false);
  useEffect(() => {
    if (arrived.current || !complete) return;
    arrived.current = true;
    if (selected !== undefined && search.view === undefined) reveal(selected);
  });
  const before = useRef(focus);
  useEffect(() => {
    if (before.current !== focus) stage.current?.fit();
    before.current = focus;
  }, [focus, scene]);

  return (
    <div className={classes(styles.graph, listShown && styles.listShown)}>
      <h1 className="visually-hidden">Asset graph</h1>
      {gates.data === undefined ? null : (
        <GateRibbon gates={gates.data.items} count={gates.data.count} show={showGate} showBlocked={showBlocked} />
      )}
      {error === null ? null : <Problem error={error} />}
      <GraphToolbar
        text={search.sel ?? search.find ?? ""}
        typed={(text) => looked.typed(text, change)}
        entered={entered}
        hits={found === undefined ? undefined : marked(found).length}
        total={model.keys.length}
        problem={looked.problem}
        focus={focus === undefined ? undefined : search.focus}
        hops={hops}
        setHops={setHops}
        leaveFocus={leaveFocus}
        listShown={listShown}
        toggleList={() => setListShown(!listShown)}
      />
      <div className={styles.columns}>
        <AssetTree model={model} state={state} found={found} selected={selected} select={goTo} showTeam={showTeam} />
        <GraphStage
          ref={stage}
          drawing={drawing}
          view={parseView(search.view)}
          viewed={viewed}
          hovered={(next) => (sameHit(hit, next) ? undefined : setHit(next))}
          clicked={(next) => (next?.kind === "asset" ? select(next.asset) : select(undefined))}
          doubleClicked={(next) => {
            if (next?.kind === "asset") focusOn(next.asset);
            else if (next !== undefined) showTeam(next.team);
          }}
        />
        {selected === undefined ? null : (
          <Inspector
            key={selected}
            model={model}
            state={state}
            asset={selected}
            gate={gates.data?.items.find((gate) => gate.asset === search.at)}
            ways={ways}
            select={goTo}
            focus={focusOn}
          />
        )}
      </div>
    </div>
  );
}

function sameHit(a: Hit | undefined, b: Hit | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.kind === "asset" ? b.kind === "asset" && a.asset === b.asset : b.kind === "team" && a.team === b.team;
}
