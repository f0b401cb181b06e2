export { checkHealth } from "./server/check-health.ts";
export type { Health, HealthOptions } from "./server/check-health.ts";
export { serve } from "./server/serve.ts";
export type { ServedLocation, ServeOptions } from "./server/serve-options.ts";
export type { TlsFiles } from "./server/tls-files.ts";
