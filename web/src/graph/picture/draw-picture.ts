import { type Tools, drawAssets } from "./draw-assets.ts";
import { drawGrounds, drawHeads, drawTeamEdges } from "./draw-boxes.ts";
import { drawEdges, drawStubs } from "./draw-edges.ts";
import { type Context, type Drawing, type Look, detailAt } from "./drawing.ts";

/** Draws what is seen of the picture. The same in a worker, on the page and in the small overview. */
export function drawPicture(context: Context, drawing: Drawing, look: Look, tools: Tools): void {
  context.setTransform(look.density, 0, 0, look.density, 0, 0);
  context.fillStyle = drawing.palette.ground;
  context.fillRect(0, 0, look.size.width, look.size.height);
  if (look.bare !== true) drawTeamEdges(context, drawing, look, "others");
  drawGrounds(context, drawing, look);
  if (look.bare === true) return drawAssets(context, drawing, look, tools);
  // From afar edges between assets are a haze that hides what they connect.
  if (detailAt(look.view.scale) !== "boxes") drawEdges(context, drawing, look);
  drawStubs(context, drawing, look, tools.texts);
  drawAssets(context, drawing, look, tools);
  drawTeamEdges(context, drawing, look, "pointed");
  drawHeads(context, drawing, look, tools);
}
