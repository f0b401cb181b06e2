// violates: cli-speaks-http
export { readRuns as lookup } from "../../storage/runs.ts";
