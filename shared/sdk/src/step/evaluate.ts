import type { EvaluateRequest, EvaluateResponse } from "@headgate/proto";
import type { AnySensor } from "../sensor.ts";
import { askSensor } from "./ask-sensor.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { stepError } from "./step-error.ts";
import { StepFailure } from "./step-failure.ts";

/** An evaluation that asks for nothing. */
export const emptyResponse: EvaluateResponse = {
  error: undefined,
  requests: [],
  addPartitions: [],
  cursor: undefined,
  skipReason: "",
  logs: [],
  droppedBytes: 0,
};

/** Evaluates what is asked for in this process. Never throws: what goes wrong is the answer. */
export async function evaluate(
  environment: Pick<StepEnvironment, "resources" | "log" | "codeBase" | "redaction">,
  sensors: ReadonlyMap<string, AnySensor>,
  { evaluated, nowMs }: EvaluateRequest,
  signal: AbortSignal,
): Promise<EvaluateResponse> {
  const name = evaluated?.value.name ?? "";
  const sensor = sensors.get(name);
  try {
    if (sensor === undefined) throw notDefined(name);
    const { log } = environment;
    const resources = await environment.resources.values(sensor.resources, log);
    const answer = await askSensor(sensor, { cursor: evaluated?.value.cursor, resources, log, signal, nowMs });
    const skipReason = environment.redaction.apply(answer.skipReason);
    return {
      ...emptyResponse,
      requests: [...answer.requests],
      addPartitions: [...answer.addPartitions],
      cursor: answer.cursor,
      skipReason,
    };
  } catch (thrown) {
    const cause: unknown = signal.aborted ? signal.reason : thrown;
    return { ...emptyResponse, error: stepError(cause, "sensor.threw", environment, sensor) };
  }
}

function notDefined(name: string): StepFailure {
  return new StepFailure(
    "sensor.unknown",
    `This location's code does not define the sensor "${name}", or it did not load.`,
    "See the location's definition errors; mend them, or deploy the code that has the sensor.",
  );
}
