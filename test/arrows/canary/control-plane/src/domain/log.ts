// violates: domain-is-pure
export type { FastifyBaseLogger as log } from "fastify";
