// violates: layout-stands-alone
import { cpus } from "node:os";
export const columns = () => cpus().length;
