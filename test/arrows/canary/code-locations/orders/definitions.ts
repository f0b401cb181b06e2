export { cleanOrders } from "./assets/clean-orders.ts";
