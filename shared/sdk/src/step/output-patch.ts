import { writeSync } from "node:fs";
import { LogStream } from "@headgate/proto";
import type { LogCapture } from "./log-capture.ts";

/**
 * Sends what JavaScript prints in this process to the attempt that runs. What native code prints goes to the file
 * descriptors, which the serving process reads. While no attempt runs both take that way.
 */
export class OutputPatch {
  #capture: LogCapture | undefined;

  install(): void {
    this.#patch(process.stdout, LogStream.LOG_STREAM_STDOUT);
    this.#patch(process.stderr, LogStream.LOG_STREAM_STDERR);
    // User code that calls process.exit leaves no time for messages: the file descriptors take what is left.
    process.on("exit", () => {
      for (const { stream, body } of this.#capture?.take() ?? []) {
        try {
          writeSync(stream === LogStream.LOG_STREAM_STDERR ? 2 : 1, body);
        } catch {
          return;
        }
      }
    });
  }

  set capture(capture: LogCapture | undefined) {
    this.#capture = capture;
  }

  #patch(target: NodeJS.WriteStream, stream: LogStream): void {
    const write = target.write.bind(target) as (...parameters: unknown[]) => boolean;
    const patched = (chunk: unknown, ...rest: unknown[]): boolean => {
      const capture = this.#capture;
      if (capture === undefined) return write(chunk, ...rest);
      const encoding = typeof rest[0] === "string" ? (rest[0] as BufferEncoding) : "utf8";
      capture.append(
        stream,
        typeof chunk === "string" ? decoded(chunk, encoding) : Buffer.from(chunk as Uint8Array).toString(),
      );
      const done = rest.find((parameter) => typeof parameter === "function") as (() => void) | undefined;
      if (done) process.nextTick(done);
      return true;
    };
    target.write = patched;
  }
}

function decoded(text: string, encoding: BufferEncoding): string {
  return encoding === "utf8" || encoding === "utf-8" ? text : Buffer.from(text, encoding).toString();
}
