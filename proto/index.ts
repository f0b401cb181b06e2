export * from "./gen/headgate/v1/code_location.ts";
export * from "./gen/headgate/v1/evaluation.ts";
export * from "./gen/headgate/v1/manifest.ts";
export * from "./gen/headgate/v1/session.ts";
