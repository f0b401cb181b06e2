import { z } from "zod";
import { problemSchema } from "./contract/problem.ts";
import { type Route, changes } from "./contract/route.ts";
import { routes } from "./contract/routes.ts";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of every route, generated from the schemas that validate them. */
export function openApiDocument(version: string): Json {
  const schemas: Record<string, unknown> = {};
  const problem = jsonSchema(problemSchema, "output", schemas);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [operationId, definition] of Object.entries<Route>(routes)) {
    const { method, path } = definition;
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: operation(operationId, definition, schemas, problem),
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Headgate",
      version,
      description:
        "An asset-graph orchestrator for teams that own their code. Errors are application/problem+json with a stable code.",
    },
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(operationId: string, definition: Route, schemas: Json, problem: unknown): Json {
  const answer =
    definition.answer === undefined
      ? { [definition.mediaType ?? "text/plain"]: { schema: { type: "string" } } }
      : { "application/json": { schema: jsonSchema(definition.answer, "output", schemas) } };
  const idempotency = {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    description: "Same key and request: the same answer, done once. Same key and another request: 409.",
    schema: { type: "string", minLength: 1, maxLength: 255 },
  };
  return {
    operationId,
    tags: [definition.tag],
    summary: definition.summary,
    ...(definition.public === true ? {} : { security: [{ token: [] }, {}] }),
    parameters: [
      ...parameters(definition.params, "path", schemas),
      ...parameters(definition.query, "query", schemas),
      ...(changes(definition) ? [idempotency] : []),
    ],
    ...(definition.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: jsonSchema(definition.body, "input", schemas) } },
          },
        }),
    responses: {
      [definition.status]: { description: "Done", content: answer },
      default: { description: "Refused", content: { "application/problem+json": { schema: problem } } },
    },
  };
}

function parameters(shape: z.ZodObject | undefined, place: "path" | "query", schemas: Json): Json[] {
  if (shape === undefined) return [];
  return Object.entries(shape.shape).map(([name, schema]) => {
    const { description, ...rest } = jsonSchema(schema as z.ZodType, "input", schemas);
    const required = place === "path" || !(schema as z.ZodType).safeParse(undefined).success;
    return { name, in: place, required, ...(description === undefined ? {} : { description }), schema: rest };
  });
}

/** The schema with its named parts moved to `schemas`. Answers may grow: what they hold beside is not forbidden. */
function jsonSchema(schema: z.ZodType, io: "input" | "output", schemas: Json): Json {
  const {
    $schema: _,
    $defs = {},
    ...root
  } = z.toJSONSchema(schema, {
    io,
    target: "draft-2020-12",
    unrepresentable: "any",
    override: ({ jsonSchema: made }) => {
      if (io === "output" && made.additionalProperties === false) delete made.additionalProperties;
      // The pattern of a date-time is a page long and says what its format says.
      if (made.format === "date-time") delete made.pattern;
    },
  });
  for (const [name, definition] of Object.entries($defs)) schemas[name] ??= moved(definition);
  return moved(root) as Json;
}

function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => {
      if (key === "id" && typeof part === "string" && "type" in value) return [];
      if (key === "$ref" && typeof part === "string") return [[key, part.replace("#/$defs/", "#/components/schemas/")]];
      return [[key, moved(part)]];
    }),
  );
}
