import type { z } from "zod";
import type { StepErrorRow } from "../storage/schema.ts";
import type { failure } from "./contract/shapes.ts";

export function presentFailure(error: StepErrorRow): z.input<typeof failure>;
export function presentFailure(error: StepErrorRow | null): z.input<typeof failure> | null;
export function presentFailure(error: StepErrorRow | null): z.input<typeof failure> | null {
  if (error === null) return null;
  const { code, message, hint, stack, position } = error;
  return { code, message, hint: hint ?? null, stack: stack ?? null, position: position ?? null };
}
