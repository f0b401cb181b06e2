export { focusLayout } from "./focus-layout.ts";
export { tile } from "./graph-layout.ts";
export type { GraphLayout, GraphToLayOut } from "./graph-layout.ts";
export { boxPadding, groupedLayout } from "./grouped-layout.ts";
export type { GroupBox, GroupEdge, GroupedLayout } from "./grouped-layout.ts";
