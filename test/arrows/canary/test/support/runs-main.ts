// violates: main-is-the-root
export { wired } from "../../control-plane/src/main.ts";
