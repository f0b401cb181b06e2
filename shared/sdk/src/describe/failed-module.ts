/** What stands in for everything that a module exports which did not load carries this property. */
export const failedModule = Symbol.for("headgate.failedModule");

/** The module, relative to the location's folder, that `value` would have come from had it loaded. */
export function failedModuleOf(value: unknown): string | undefined {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return undefined;
  const module: unknown = (value as { [failedModule]?: unknown })[failedModule];
  return typeof module === "string" ? module : undefined;
}

/**
 * The text of a CommonJS module that stands in for one that did not load: any name can be imported from it, and what is
 * imported can be called, spread and read without throwing, so that the modules around it still load.
 */
export function failedModuleStub(module: string): string {
  return `
const target = function () {};
Object.defineProperty(target, Symbol.for("headgate.failedModule"), { value: ${JSON.stringify(module)}, enumerable: true });
const marker = new Proxy(target, {
  get(target, name) {
    if (name === Symbol.for("headgate.failedModule")) return target[name];
    if (name === "__esModule") return true;
    if (name === Symbol.toPrimitive) return () => "[not loaded]";
    if (name === Symbol.iterator) return function* () {};
    return typeof name === "symbol" || name === "then" ? undefined : marker;
  },
  apply: () => marker,
  construct: () => marker,
});
// Imported as a whole by an ES module it is the default export: that can be called as well. It has no names of its own.
const exported = Object.setPrototypeOf(() => marker, marker);
for (const name of Object.getOwnPropertyNames(exported)) delete exported[name];
Object.defineProperty(exported, Symbol.for("headgate.failedModule"), { value: target[Symbol.for("headgate.failedModule")], enumerable: true });
module.exports = exported;
`;
}
