/** When the control plane requests an asset by itself. */
export interface AutomationCondition {
  readonly kind: "onMissing";
}

const onMissing: AutomationCondition = Object.freeze({ kind: "onMissing" });

/** Conditions under which the control plane requests an asset by itself: `automation: when.onMissing()`. */
export const when = Object.freeze({
  /** Requests what has no version, once its gate is open and nothing upstream is still to come. */
  onMissing: (): AutomationCondition => onMissing,
});
