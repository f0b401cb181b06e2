import { StepFailure } from "./step-failure.ts";

/** Compute was asked for this output and returned nothing under its name. */
export function missingOutput(name: string, key: string): StepFailure {
  return new StepFailure(
    "step.output_missing",
    `Compute returned no "${name}", which is the value of ${key}.`,
    `Return { ${name}: ... } whenever \`context.selected\` has it; undefined where there is no value to store.`,
  );
}

/**
 * What compute of a multi-asset returned, by output; one that was asked for may still be missing.
 *
 * @param names of the outputs that it was asked for
 * @param known names of all that it has
 * @throws StepFailure `step.outputs_invalid`, `step.output_unexpected`
 */
export function returnedOutputs(
  names: readonly string[],
  known: readonly string[],
  returned: unknown,
): Readonly<Record<string, unknown>> {
  const expected = `{ ${names.join(", ")} }`;
  if (typeof returned !== "object" || returned === null || Array.isArray(returned)) {
    const what = returned === undefined ? "nothing" : returned === null ? "null" : "no object";
    throw new StepFailure(
      "step.outputs_invalid",
      `Compute of a multi-asset returned ${what}, and not ${expected}.`,
      "Return an object with the value of each output of `context.selected` under its name.",
    );
  }
  const extra = Object.keys(returned).filter((name) => !names.includes(name));
  if (extra.length === 0) return returned as Readonly<Record<string, unknown>>;
  const unasked = extra.every((name) => known.includes(name));
  throw new StepFailure(
    "step.output_unexpected",
    `Compute returned "${extra.join('", "')}", and was asked for ${expected}.`,
    unasked
      ? "Return those of `context.selected` alone: what is stored unasked would belong to no step."
      : `The outputs of this multi-asset are ${known.join(", ")}: name it so in \`assets\`, or return it under its name.`,
  );
}
