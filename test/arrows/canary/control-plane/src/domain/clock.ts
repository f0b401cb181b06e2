// violates: domain-is-pure
export { performance as now } from "node:perf_hooks";
