// violates: imports-resolve
// violates: dependencies-are-declared
import pad from "left-pad";
import { nothing } from "./nothing.ts";
export const unknown = [nothing, pad];
