export * from "./gen/wire.ts";
export * from "./knows-the-domain.ts";
