export { serve } from "./server/serve.ts";
export type { ServedLocation, ServeOptions } from "./server/serve-options.ts";
