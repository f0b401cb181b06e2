export { session as serve } from "../../grpc/session.ts";
