import type { Log } from "../log.ts";
import type { AnySensor } from "../sensor.ts";
import { sensorAnswer, type SensorAnswer } from "./sensor-answer.ts";
import { StepFailure } from "./step-failure.ts";
import { schemaOf, validated } from "./value-check.ts";

const cursorSizeBytesMax = 65_536;

/** What an evaluation stands on. */
export interface SensorAsked {
  /** JSON; undefined: the sensor has no cursor yet. */
  readonly cursor: string | undefined;
  readonly resources: Readonly<Record<string, unknown>>;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly nowMs: number;
}

export interface SensorAnswered extends Omit<SensorAnswer, "cursor"> {
  /** JSON; undefined: it stays. */
  readonly cursor: string | undefined;
}

/**
 * Evaluates a sensor. What it answers has been held against its bounds and the schema of the cursor.
 *
 * @throws what `evaluate` throws; StepFailure `sensor.stored_cursor_invalid`, `sensor.cursor_invalid`,
 *   `sensor.cursor_too_large`, `sensor.result_invalid`, `sensor.too_many_requests`
 */
export async function askSensor(sensor: AnySensor, asked: SensorAsked): Promise<SensorAnswered> {
  const { cursor, resources, log, signal, nowMs } = asked;
  const context = { cursor: await readCursor(sensor, cursor), resources, log, signal, now: new Date(nowMs) };
  signal.throwIfAborted();
  const returned = await (sensor.evaluate as (context: unknown) => unknown)(context);
  signal.throwIfAborted();
  const answer = sensorAnswer(sensor, returned);
  return { ...answer, cursor: await writtenCursor(sensor, answer.cursor) };
}

/** @throws StepFailure `sensor.stored_cursor_invalid` */
export async function readCursor(
  sensor: AnySensor,
  stored: string | undefined,
  code = "sensor.stored_cursor_invalid",
): Promise<unknown> {
  const schema = schemaOf(sensor.cursor);
  if (schema === undefined) return undefined;
  const value = stored === undefined ? undefined : (JSON.parse(stored) as unknown);
  return validated(
    schema,
    value,
    code,
    `The ${stored === undefined ? "missing" : "stored"} cursor of sensor "${sensor.name}"`,
  );
}

/** Whatever reads it later reads the text: that is what has to fit. */
async function writtenCursor(sensor: AnySensor, returned: unknown): Promise<string | undefined> {
  if (returned === undefined) return undefined;
  const schema = schemaOf(sensor.cursor);
  if (schema === undefined) {
    throw new StepFailure(
      "sensor.cursor_invalid",
      `Sensor "${sensor.name}" returned a cursor and declares none.`,
      'Declare it: cursor: z.string().default("").',
    );
  }
  const text = jsonOf(sensor, returned);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > cursorSizeBytesMax) {
    throw new StepFailure(
      "sensor.cursor_too_large",
      `The cursor of sensor "${sensor.name}" has ${sizeBytes} bytes, of at most ${cursorSizeBytesMax}.`,
      "Keep a position, not a list: run keys remember what was asked for already.",
    );
  }
  await validated(
    schema,
    JSON.parse(text),
    "sensor.cursor_invalid",
    `The cursor that sensor "${sensor.name}" returned`,
  );
  return text;
}

function jsonOf(sensor: AnySensor, value: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  const message = `The cursor that sensor "${sensor.name}" returned is not JSON.`;
  throw new StepFailure("sensor.cursor_invalid", message, "Return plain values.", { cause });
}
