import { Maximize, Minus, Plus } from "lucide-react";
import { type Ref, useEffect, useImperativeHandle, useRef } from "react";
import type { Drawing } from "../picture/drawing.ts";
import type { Hit, Scene } from "../picture/scene.ts";
import { type Rectangle, type View, filling } from "../picture/view.ts";
import { Stage } from "../stage/stage.ts";
import { HoverCard } from "./hover-card.tsx";
import styles from "../graph.module.css";

/** What the page asks of the picture. */
export interface StageHandle {
  fit(): void;
  fitTo(area: Rectangle): void;
  reveal(area: Rectangle): void;
}

const zoomStep = 1.4;

/** The picture, and what moves it. For the eye and the pointer: the tree beside it says the same. */
export function GraphStage(props: {
  readonly drawing: Drawing;
  /** Where one looks at first; absent: at all of it. */
  readonly view: View | undefined;
  readonly viewed: (view: View | undefined) => void;
  readonly hovered: (hit: Hit | undefined) => void;
  readonly clicked: (hit: Hit | undefined) => void;
  readonly doubleClicked: (hit: Hit | undefined) => void;
  readonly ref: Ref<StageHandle>;
}) {
  const { drawing, view } = props;
  const host = useRef<HTMLDivElement>(null);
  const minimap = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const sent = useRef<Partial<Drawing>>({});

  useEffect(() => {
    if (host.current === null || minimap.current === null) return undefined;
    const made = new Stage(host.current, minimap.current, {
      viewed: (now, whole) => {
        latest.current.viewed(whole ? undefined : now);
        if (frame.current !== null) placeFrame(frame.current, made, latest.current.drawing.scene, now);
      },
      hovered: (hit) => latest.current.hovered(hit),
      clicked: (hit) => latest.current.clicked(hit),
      doubleClicked: (hit) => latest.current.doubleClicked(hit),
      painted: (scene) => host.current?.setAttribute("data-painted", `${scene.kind} ${scene.assets.length}`),
    });
    stage.current = made;
    sent.current = {};
    if (view !== undefined) made.look(view);
    return () => {
      stage.current = undefined;
      made.close();
    };
  }, []);

  useEffect(() => {
    const change = Object.fromEntries(
      Object.entries(drawing).filter(([part, value]) => sent.current[part as keyof Drawing] !== value),
    );
    sent.current = drawing;
    if (Object.keys(change).length > 0) stage.current?.draw(change);
  }, [drawing]);

  useImperativeHandle(props.ref, () => ({
    fit: () => stage.current?.fit(),
    fitTo: (area) => stage.current?.fitTo(area),
    reveal: (area) => stage.current?.reveal(area),
  }));

  return (
    <div className={styles.stage}>
      <div ref={host} className={styles.canvases} aria-hidden="true" />
      {drawing.emphasis.hovered === undefined ? null : (
        <HoverCard model={drawing.model} state={drawing.state} asset={drawing.emphasis.hovered} />
      )}
      <div className={styles.minimap} aria-hidden="true">
        <div ref={minimap} className={styles.minimapPicture} />
        <div ref={frame} className={styles.minimapFrame} />
      </div>
      <div className={styles.zoom}>
        <button type="button" aria-label="Zoom in" onClick={() => stage.current?.zoomBy(zoomStep)}>
          <Plus size={15} aria-hidden="true" />
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => stage.current?.zoomBy(1 / zoomStep)}>
          <Minus size={15} aria-hidden="true" />
        </button>
        <button type="button" aria-label="Show all of it" onClick={() => stage.current?.fit()}>
          <Maximize size={14} aria-hidden="true" />
        </button>
      </div>
    </div>
  );
}

/** Shows on the small overview what is seen of the whole. */
function placeFrame(frame: HTMLElement, stage: Stage, scene: Scene, { x, y, scale }: View): void {
  const { clientWidth: width, clientHeight: height } = frame.parentElement ?? frame;
  const whole = filling(scene, { width, height });
  const small = whole.scale;
  frame.style.transform = `translate(${(x - whole.x) * small}px, ${(y - whole.y) * small}px)`;
  frame.style.width = `${(stage.size.width / scale) * small}px`;
  frame.style.height = `${(stage.size.height / scale) * small}px`;
}
