import { WorkerMain } from "./step/worker-main.ts";

new WorkerMain().start();
