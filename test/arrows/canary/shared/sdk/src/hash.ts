export { createHash as hash } from "node:crypto";
