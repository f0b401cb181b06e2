import type { Cron } from "croner";
export type AssetKey = string & { cron?: Cron };
