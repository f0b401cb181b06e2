import type { GraphModel } from "./picture/graph-model.ts";

/** Signs of a selection; anything else is a part of a name. */
const selectionSigns = /[:+*()"]|\b(and|or|not)\b/;

/** Whether what was typed is to be read by the server as a selection: by its signs, or because it is a key. */
export function isSelection(text: string, model: GraphModel | undefined): boolean {
  return selectionSigns.test(text) || model?.numberOf.has(text) === true;
}

/** Assets whose keys have all of these words, in any order: 1 for each. */
export function namedLike(model: GraphModel, text: string): Uint8Array {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return Uint8Array.from(model.keys, (key) => (words.every((word) => key.includes(word)) ? 1 : 0));
}

/** The numbers of those that are marked. */
export function marked(marks: Uint8Array): number[] {
  const found: number[] = [];
  for (const [asset, mark] of marks.entries()) if (mark === 1) found.push(asset);
  return found;
}
