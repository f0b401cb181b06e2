import { expect, it } from "vitest";
import { readRunConfig } from "../../control-plane/src/cli/run-options.ts";

it("loses no setting, whatever its asset or field is called", async () => {
  const settings = ["__proto__.a=1", "shop/orders.__proto__=2", "shop/orders.constructor=3", "shop/orders.b=4"];
  expect(JSON.stringify(await readRunConfig(undefined, settings))).toBe(
    '{"__proto__":{"a":1},"shop/orders":{"__proto__":2,"constructor":3,"b":4}}',
  );
});
