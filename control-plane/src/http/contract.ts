/** The HTTP contract: what clients written in TypeScript may import, as types. */
export { problemCodes, problemSchema } from "./contract/problem.ts";
export type { ProblemAnswer, ProblemCode } from "./contract/problem.ts";
export { changes } from "./contract/route.ts";
export type { Answer, Asked, Method, Route, Sent } from "./contract/route.ts";
export { routes } from "./contract/routes.ts";
export type { RouteName, Routes } from "./contract/routes.ts";
