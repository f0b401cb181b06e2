// violates: model-stands-alone
import { readFileSync } from "node:fs";
export const text = (file: string) => readFileSync(file, "utf8");
