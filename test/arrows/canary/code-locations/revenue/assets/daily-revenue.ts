// violates: teams-through-contracts
export { cleanOrders as daily } from "../../orders/assets/clean-orders.ts";
