import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import type { Answered, Request } from "../api/answers.ts";
import { ask } from "../api/api-client.ts";
import type { EndpointName } from "../api/endpoints.ts";

/**
 * Changes something by the API. The idempotency key stays the same until it has been done, so that a double click, and
 * a second try after an answer that was lost, do it once.
 */
export function useAction<N extends EndpointName>(name: N, done?: (answer: Answered<N>) => void) {
  const client = useQueryClient();
  const intent = useRef<{ readonly request: string; readonly key: string }>(undefined);
  return useMutation({
    mutationFn: (request: Request<N>) => {
      const text = JSON.stringify(request);
      if (intent.current?.request !== text) intent.current = { request: text, key: crypto.randomUUID() };
      return ask(name, request, { idempotencyKey: intent.current.key });
    },
    onSuccess: (answer) => {
      intent.current = undefined;
      void client.invalidateQueries();
      done?.(answer);
    },
  });
}
