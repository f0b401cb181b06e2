import { takeInter } from "../picture/drawing.ts";
import { type Canvases, type PaintOrder, Painter } from "./painter.ts";

/** What the page sends first: canvases whose control it gives away, and where the font lies, which CSS does not bring here. */
export interface PaintGreeting {
  readonly kind: "canvases";
  readonly canvases: Canvases;
  readonly fontUrl: string;
}

let painter: Painter | undefined;

self.onmessage = ({ data }: MessageEvent<PaintGreeting | PaintOrder>) => {
  if (data.kind !== "canvases") return painter?.take(data);
  painter = new Painter(data.canvases, (painted) => self.postMessage(painted));
  const { fonts } = self as unknown as { readonly fonts?: FontFaceSet };
  if (fonts === undefined) return;
  const inter = new FontFace("Inter Variable", `url(${data.fontUrl})`, { weight: "100 900" });
  fonts.add(inter);
  inter.load().then(
    () => {
      takeInter();
      painter?.take({ kind: "drawing", change: {} });
    },
    // The system's font says the same.
    () => undefined,
  );
};
