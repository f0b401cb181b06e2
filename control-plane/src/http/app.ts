import { createHash } from "node:crypto";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import type { ApiContext } from "./api-context.ts";
import { type Route, changes } from "./contract/route.ts";
import { type RouteName, routes } from "./contract/routes.ts";
import { problemFrom } from "./problem-from.ts";
import { Problem } from "./problem.ts";
import type { IdempotencyKey, JsonRouteName } from "./request.ts";
import { authenticate, checkHost } from "./request-guard.ts";
import { assetRoutes } from "./routes/asset-routes.ts";
import { auditRoute } from "./routes/audit-route.ts";
import { definitionsRoute } from "./routes/definitions-route.ts";
import { discardRoutes } from "./routes/discard-routes.ts";
import { graphRoutes } from "./routes/graph-routes.ts";
import { gateRoutes } from "./routes/gate-routes.ts";
import { locationRoutes } from "./routes/location-routes.ts";
import { deletionRoute } from "./routes/deletion-route.ts";
import { ownerRoutes } from "./routes/owner-routes.ts";
import { partitionRoutes } from "./routes/partition-routes.ts";
import { explainRoute } from "./routes/explain-route.ts";
import { backfillRoutes } from "./routes/backfill-routes.ts";
import { poolRoutes } from "./routes/pool-routes.ts";
import { sensorRoutes } from "./routes/sensor-routes.ts";
import { queueRoutes } from "./routes/queue-routes.ts";
import { readableRoutes } from "./routes/readable-routes.ts";
import { reportRoutes } from "./routes/report-routes.ts";
import { runRoutes } from "./routes/run-routes.ts";
import { scheduleRoutes } from "./routes/schedule-routes.ts";
import { metricsText, serverRoutes } from "./routes/server-routes.ts";
import { waiverRoutes } from "./routes/waiver-routes.ts";
import { whyRoute } from "./routes/why-route.ts";
import { sendImmutable } from "./send-immutable.ts";
import { webFolder } from "./read-web-files.ts";
import { serveWeb } from "./serve-web.ts";
import { streamEvents } from "./event-stream.ts";
import { parseTopics } from "./topics.ts";
import type { Handlers } from "./request.ts";

const handlers: Handlers = {
  ...serverRoutes,
  ...locationRoutes,
  ...ownerRoutes,
  ...deletionRoute,
  ...definitionsRoute,
  ...assetRoutes,
  ...graphRoutes,
  ...runRoutes,
  ...readableRoutes,
  ...whyRoute,
  ...gateRoutes,
  ...waiverRoutes,
  ...discardRoutes,
  ...auditRoute,
  ...reportRoutes,
  ...partitionRoutes,
  ...scheduleRoutes,
  ...sensorRoutes,
  ...queueRoutes,
  ...backfillRoutes,
  ...poolRoutes,
  ...explainRoute,
};

export interface AppOptions {
  /** Default: nothing is logged. */
  readonly logger?: FastifyBaseLogger;
  /** Names under which a server on loopback may be addressed, beside its own. */
  readonly hosts?: readonly string[];
  /** Where the built web UI lies. Default: beside what runs. */
  readonly webFolder?: string;
}

const bodyBytesMax = 1_048_576;
/** For each client address. */
const requestsPerTenSeconds = 3_000;

/** The HTTP API and the web UI. The caller listens, and closes. */
export async function createApp(context: ApiContext, options: AppOptions = {}): Promise<FastifyInstance> {
  const app = Fastify({
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    // A path that cannot be decoded is refused ahead of every hook and handler.
    frameworkErrors: (error, request, reply) => void answerProblem(request, reply, problemFrom(error)),
    // Streams end themselves when the app closes; a connection that idles must not hold it up.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1_000, querystringParser: (text) => queryObject(text) },
  });
  const closing = new AbortController();
  app.addHook("preClose", () => closing.abort());
  app.setErrorHandler((error, request, reply) => answerProblem(request, reply, problemFrom(error)));
  acceptEmptyJson(app);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        fontSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        workerSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: false,
  });
  await app.register(rateLimit, {
    max: requestsPerTenSeconds,
    timeWindow: 10_000,
    errorResponseBuilder: (_request, limit) =>
      new Problem(
        "request.rate_limited",
        `More than ${limit.max} requests in ten seconds.`,
        `Ask again in ${limit.after}.`,
      ),
  });
  app.addHook("onRequest", async (request) => {
    if (context.tokens === undefined) checkHost(request.headers, options.hosts ?? []);
  });
  for (const name of Object.keys(routes) as RouteName[]) addRoute(app, context, name, closing.signal);
  const answerPage = serveWeb(app, options.webFolder ?? webFolder());
  app.setNotFoundHandler((request, reply) => answerPage(request, reply) ?? answerUnknown(request, reply));
  return app;
}

function answerUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = `There is no ${request.method} ${pathOf(request)}.`;
  return answerProblem(request, reply, new Problem("route.unknown", message, "GET /openapi.json lists every path."));
}

function addRoute(app: FastifyInstance, context: ApiContext, name: RouteName, closing: AbortSignal): void {
  const definition: Route = routes[name];
  app.route({
    method: definition.method,
    url: definition.path.replaceAll(/\{(\w+)\}/g, ":$1"),
    handler: async (request, reply) => {
      const actor = definition.public === true ? { name: "" } : authenticate(context, request.headers);
      const asked = {
        params: parsed(definition.params, request.params, "the path"),
        query: parsed(definition.query, request.query, "the query"),
        body: parsed(definition.body, request.body ?? {}, "the body"),
      };
      if (name === "metrics") {
        return reply.type("text/plain; version=0.0.4; charset=utf-8").send(await metricsText(context));
      }
      if (name === "followEvents") {
        const { after, topics } = asked.query as { after?: number; topics?: string };
        const from = resumeAfter(request.headers["last-event-id"]) ?? after ?? (await context.events.newest());
        return streamEvents(context.events, reply, from, parseTopics(topics), closing);
      }
      return answerJson(context, name, definition, request, reply, { ...asked, actor });
    },
  });
}

async function answerJson(
  context: ApiContext,
  name: JsonRouteName,
  definition: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: object,
): Promise<unknown> {
  const handler = handlers[name] as (context: ApiContext, request: object) => Promise<unknown>;
  const idempotency = changes(definition) ? idempotencyKey(request) : undefined;
  const answer = await handler(context, { ...asked, idempotency });
  reply.code(definition.status);
  if (definition.immutable === true) return sendImmutable(request, reply, answer);
  return reply.header("cache-control", "no-store").send(answer);
}

/** @throws Problem `request.invalid` that names each wrong place */
function parsed(schema: Route["params"], value: unknown, where: string): object {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  const first = errors[0];
  const place = first === undefined || first.path === "" ? where : `${first.path} in ${where}`;
  throw new Problem(
    "request.invalid",
    `${place}: ${first?.message ?? "is malformed"}`,
    "GET /openapi.json has the schema.",
    {
      errors,
    },
  );
}

/** Repeated parameters are refused by their schema: a list is no string. */
function queryObject(text: string): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const search = new URLSearchParams(text);
  for (const key of new Set(search.keys())) {
    const all = search.getAll(key);
    result[key] = all.length === 1 ? all[0] : all;
  }
  return result;
}

function resumeAfter(header: string | string[] | undefined): number | undefined {
  return typeof header === "string" && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function idempotencyKey(request: FastifyRequest): IdempotencyKey | undefined {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    const hint = "A key is 1 to 255 printable ASCII characters without spaces, a UUID for example.";
    throw new Problem("request.invalid", "The Idempotency-Key header cannot be used.", hint);
  }
  const requestHash = createHash("sha256")
    .update(`${request.method}\n${request.url}\n${JSON.stringify(request.body ?? {})}`)
    .digest("hex");
  return { key, requestHash };
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? request.url;
}

function answerProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  // "Not ready" is the answer that whoever asks came for, and asks for again.
  if (problem.status >= 500 && problem.code !== "service.not_ready")
    request.log.error({ err: problem.cause ?? problem, url: pathOf(request) }, problem.message);
  if (problem.status === 401) void reply.header("www-authenticate", 'Bearer realm="headgate"');
  return reply
    .code(problem.status)
    .type("application/problem+json; charset=utf-8")
    .send(JSON.stringify(problem.answer));
}

/** JSON and nothing else; a mutation without a body may say that it sends JSON. */
function acceptEmptyJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    const text = body.toString();
    if (text.trim() === "") return done(null, undefined);
    try {
      done(null, JSON.parse(text));
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      done(new Problem("request.invalid", `The body is not JSON: ${said}`, "Send JSON in UTF-8."));
    }
  });
}
