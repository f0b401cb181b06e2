/** Carries where a definition was written: an object whose `stack` starts at the caller of the constructor. */
export interface ConstructionSite {
  readonly stack?: string;
}

/** Key of the hidden property that a definition keeps its construction site under; a spread leaves it behind. */
export const constructionSite = Symbol.for("headgate.constructionSite");

interface StackCapture {
  captureStackTrace?(target: object, above: (...parameters: never[]) => unknown): void;
}

/**
 * Remembers on `definition` where `constructor` was called. The stack is formatted when somebody reads it, so that a
 * location with thousands of assets does not pay for it at import.
 */
export function rememberSite<T extends object>(definition: T, constructor: (...parameters: never[]) => unknown): T {
  const site: { stack?: string } = {};
  (Error as StackCapture).captureStackTrace?.(site, constructor);
  Object.defineProperty(definition, constructionSite, { value: site, enumerable: false });
  return Object.freeze(definition);
}

/** Where `definition` was constructed, or undefined if it did not come from a constructor of this package. */
export function siteOf(definition: object): ConstructionSite | undefined {
  return (definition as { [constructionSite]?: ConstructionSite })[constructionSite];
}
