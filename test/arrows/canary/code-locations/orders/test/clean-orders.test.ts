import { expect } from "vitest";
import { cleanOrders } from "../assets/clean-orders.ts";
expect(cleanOrders).toBeDefined();
