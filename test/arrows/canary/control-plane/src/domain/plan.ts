import type { AssetKey } from "@headgate/model";
import { now } from "./clock.ts";
import { log } from "./log.ts";
export const plan = (key: AssetKey) => [key, now, log];
