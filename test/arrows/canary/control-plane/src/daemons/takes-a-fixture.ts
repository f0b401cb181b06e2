// violates: product-without-tests
// violates: no-development-library-in-the-product
import { expect } from "vitest";
import { database } from "../../../test/support/database.ts";
export const fixture = [expect, database];
