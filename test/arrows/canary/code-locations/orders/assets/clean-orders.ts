import { hash } from "@headgate/sdk";
import { text } from "@headgate/model";
export const cleanOrders = [hash, text];
