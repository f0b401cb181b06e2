import inspector from "node:inspector";
import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAsset } from "../asset.ts";

/** Where editors and Chrome look by themselves. */
const portDefault = 9_229;

/**
 * Opens Node's inspector on loopback, says where it listens, and blocks this process until a debugger is attached. What
 * is imported afterwards is announced to it, so that breakpoints in sources are bound before they are reached.
 */
export function waitForDebugger(listening: (url: string) => void): void {
  inspector.open(portDefault, "127.0.0.1");
  // The port is another process's: any free one.
  if (inspector.url() === undefined) inspector.open(0, "127.0.0.1");
  listening(inspector.url() ?? "");
  inspector.waitForDebugger();
}

/** Ends a process that was opened to a debugger: `process.exit` would wait for it to leave. */
export function endDebugged(): void {
  if (inspector.url() !== undefined) process.kill(process.pid, "SIGKILL");
}

/** Definitions whose compute stops in the debugger first, and whose checks have no timeout to run into meanwhile. */
export function heldUp(code: {
  readonly assets: ReadonlyMap<string, AnyAsset>;
  readonly checks: ReadonlyMap<string, AnyAssetCheck>;
}): { assets: Map<string, AnyAsset>; checks: Map<string, AnyAssetCheck> } {
  const assets = [...code.assets].map(([key, asset]) => {
    const inner = asset.compute as (inputs: unknown, context: unknown) => unknown;
    const compute = (inputs: unknown, context: unknown): unknown => {
      // Step into the call below to get to the asset's own code.
      // eslint-disable-next-line no-debugger
      debugger;
      return inner(inputs, context);
    };
    return [key, { ...asset, compute }] as const;
  });
  const checks = [...code.checks].map(([key, check]) => [key, { ...check, timeoutMs: 0 }] as const);
  return { assets: new Map(assets), checks: new Map(checks) };
}
