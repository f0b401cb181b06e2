import { cleanOrders } from "../orders/contract.ts";
import { daily } from "./assets/daily-revenue.ts";
import { total } from "./assets/total-revenue.ts";
export default [cleanOrders, daily, total];
