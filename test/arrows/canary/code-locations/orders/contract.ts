// violates: contracts-without-implementation
export { cleanOrders } from "./assets/clean-orders.ts";
