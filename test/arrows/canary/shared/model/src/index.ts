export * from "./asset-key.ts";
export * from "./reads-files.ts";
export * from "./leads-to-the-control-plane.ts";
