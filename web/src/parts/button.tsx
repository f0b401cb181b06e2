import type { ComponentProps } from "react";
import { classes } from "./classes.ts";
import styles from "./button.module.css";

/** A button that is not one of a form unless it says so. */
export function Button({ kind = "plain", ...rest }: ComponentProps<"button"> & { readonly kind?: ButtonKind }) {
  return <button type="button" {...rest} className={classes(styles.button, styles[kind], rest.className)} />;
}

export type ButtonKind = "plain" | "primary" | "danger" | "quiet";

export const buttonClass = (kind: ButtonKind = "plain"): string => classes(styles.button, styles[kind]);
