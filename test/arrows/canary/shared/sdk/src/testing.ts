// violates: sdk-testing-without-the-wire
export type { Session } from "./session.ts";
