import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly engines?: { readonly node?: string };
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
  packages: Readonly<Record<string, LockedPackage>>;
};
const packages = Object.entries(lock.packages);

describe("The lock file", () => {
  // npm forgets those that the machine at hand does not need, and `npm ci` on another one then lacks them.
  it("has the native package of every platform", () => {
    const natives = packages.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).map((name) => ({ path, name })),
    );
    expect(natives.length).toBeGreaterThan(20);
    const missing = natives.filter(({ path, name }) => {
      return (
        lock.packages[`node_modules/${name}`] === undefined &&
        lock.packages[`${path}/node_modules/${name}`] === undefined
      );
    });
    expect(missing).toEqual([]);
  });

  it("names no registry", () => {
    expect(packages.filter(([, { resolved, link }]) => resolved !== undefined && link !== true)).toEqual([]);
  });

  it("has nothing that production needs and that asks for a newer Node than 20", () => {
    const newer = packages.filter(([, { engines, dev }]) => dev !== true && /^>=?\s*2[1-9]/.test(engines?.node ?? ""));
    expect(newer.map(([path]) => path)).toEqual([]);
  });
});
