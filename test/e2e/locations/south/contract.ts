import { assetSpec, valueOf } from "@headgate/sdk";

export const egg = assetSpec({ key: "south/egg", export: true });
export const open = assetSpec({ key: "south/open", value: valueOf<string>(), export: true });
/** Not exported. */
export const diary = assetSpec({ key: "south/diary", value: valueOf<string>() });
/** Promised, and implemented by nobody. */
export const opera = assetSpec({ key: "south/opera", export: true });
