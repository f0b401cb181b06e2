import type { Kysely } from "kysely";
import type { SensorNode } from "../../domain/graph.ts";
import { askEvaluation, setCursor, switchSensor } from "../../storage/change-sensor.ts";
import { onTransaction } from "../../storage/on-transaction.ts";
import type { Schema } from "../../storage/schema.ts";
import { listSensorTicks, listSensors, readSensorTick } from "../../storage/sensors-read.ts";
import type { ApiContext } from "../api-context.ts";
import { encodeCursor, idCursor } from "../cursor.ts";
import { requireOwner } from "../gate-change.ts";
import { mutate } from "../mutation.ts";
import { type SensorAnswer, presentSensor, presentTick } from "../present-sensor.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

type SensorRoutes =
  | "listSensors"
  | "getSensor"
  | "listSensorTicks"
  | "getSensorTick"
  | "startSensor"
  | "stopSensor"
  | "evaluateSensor"
  | "setSensorCursor";

const cursorSizeBytesMax = 65_536;

export const sensorRoutes: Pick<Handlers, SensorRoutes> = {
  async listSensors(context, { query }) {
    const { sensors } = context.graph();
    const rows = await listSensors(context.db);
    const items = rows.flatMap((row) => {
      const node = sensors.get(row.name);
      if (node === undefined || (query.team !== undefined && node.team !== query.team)) return [];
      return presentSensor(node, row);
    });
    return { items };
  },

  async getSensor(context, { params }) {
    return answerSensor(context.db, findSensor(context, params.name));
  },

  async listSensorTicks(context, { params, query }) {
    const { name } = findSensor(context, params.name);
    const after = idCursor(query.after);
    const page = await listSensorTicks(context.db, name, query.state, {
      limit: query.limit,
      ...(after === undefined ? {} : { after }),
    });
    return { items: page.items.map(presentTick), next: page.next === undefined ? null : encodeCursor(page.next) };
  },

  async getSensorTick(context, { params }) {
    const { name } = findSensor(context, params.name);
    const tick = await readSensorTick(context.db, name, params.id);
    if (tick !== undefined) return presentTick(tick);
    const hint = `\`npx headgate sensor ticks ${name}\` prints the newest.`;
    throw new Problem("tick.unknown", `Sensor ${name} has no tick ${params.id}.`, hint);
  },

  async startSensor(context, request) {
    return switched(context, request, true);
  },

  async stopSensor(context, request) {
    return switched(context, request, false);
  },

  async evaluateSensor(context, request) {
    const { params, actor } = request;
    const { name, team } = findSensor(context, params.name);
    requireOwner(actor, team, `the sensor ${name}`);
    return mutate(context, request, 202, async (tx) => {
      const id = await askEvaluation(tx, name, context.newId(), actor.name);
      const tick = await readSensorTick(onTransaction(tx), name, id);
      if (tick === undefined) throw new Error(`tick ${id} is not where this transaction has seen it`);
      return {
        answer: presentTick(tick),
        audit: { action: "sensor.evaluate", subject: name, details: { tick: id } },
        events: [{ kind: "sensor_evaluation_asked", payload: { sensor: name, tick: id, actor: actor.name } }],
        channels: ["headgate_sensors"],
      };
    });
  },

  async setSensorCursor(context, request) {
    const { params, actor, body } = request;
    const sensor = findSensor(context, params.name);
    requireOwner(actor, sensor.team, `the sensor ${sensor.name}`);
    const text = body.cursor === null || body.cursor === undefined ? null : JSON.stringify(body.cursor);
    const sizeBytes = Buffer.byteLength(text ?? "");
    if (sizeBytes > cursorSizeBytesMax) {
      const words = `The cursor has ${sizeBytes} bytes, of at most ${cursorSizeBytesMax}.`;
      throw new Problem("sensor.cursor_too_large", words, "A cursor is a position, not a list.");
    }
    return mutate(context, request, 200, async (tx) => {
      const before = await setCursor(tx, sensor.name, text);
      const details = { before: before === null ? null : (JSON.parse(before) as unknown), after: body.cursor ?? null };
      return {
        answer: await answerSensor(onTransaction(tx), sensor),
        audit: { action: "sensor.set_cursor", subject: sensor.name, details },
        events: [{ kind: "sensor_cursor_set", payload: { sensor: sensor.name, actor: actor.name } }],
        channels: ["headgate_sensors"],
      };
    });
  },
};

async function switched(
  context: ApiContext,
  request: Parameters<typeof sensorRoutes.startSensor>[1],
  isOn: boolean,
): Promise<SensorAnswer> {
  const { params, actor } = request;
  const sensor = findSensor(context, params.name);
  requireOwner(actor, sensor.team, `the sensor ${sensor.name}`);
  return mutate(context, request, 200, async (tx) => {
    await switchSensor(tx, sensor.name, isOn, actor.name);
    return {
      answer: await answerSensor(onTransaction(tx), sensor),
      audit: { action: isOn ? "sensor.start" : "sensor.stop", subject: sensor.name, details: {} },
      events: [
        { kind: isOn ? "sensor_started" : "sensor_stopped", payload: { sensor: sensor.name, actor: actor.name } },
      ],
      channels: ["headgate_sensors"],
    };
  });
}

async function answerSensor(db: Kysely<Schema>, sensor: SensorNode): Promise<SensorAnswer> {
  const [row] = await listSensors(db, [sensor.name]);
  if (row !== undefined) return presentSensor(sensor, row);
  throw unknown(sensor.name, []);
}

/** @throws Problem `sensor.unknown` */
function findSensor(context: ApiContext, name: string): SensorNode {
  const { sensors, errors } = context.graph();
  const found = sensors.get(name);
  if (found !== undefined) return found;
  const refused = errors.find((error) => error.kind === "sensor" && error.key === name);
  if (refused !== undefined) {
    throw new Problem("sensor.unknown", `Sensor ${name} is refused: ${refused.message}`, refused.hint);
  }
  throw unknown(name, [...sensors.keys()]);
}

function unknown(name: string, known: readonly string[]): Problem {
  const hint = known.length === 0 ? "No location defines any." : `There are ${known.slice(0, 10).join(", ")}.`;
  return new Problem("sensor.unknown", `No sensor ${JSON.stringify(name)} is defined.`, hint);
}
