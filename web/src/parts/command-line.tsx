import { Check, Copy } from "lucide-react";
import { useState } from "react";
import styles from "./command-line.module.css";

const copiedMs = 1_500;

/** A command that is ready to paste, with a button that copies it. */
export function CommandLine({ command }: { readonly command: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    setCopied(true);
    setTimeout(() => setCopied(false), copiedMs);
  };
  return (
    <span className={styles.line}>
      <code>{command}</code>
      <button type="button" aria-label={copied ? "Copied" : "Copy the command"} onClick={() => void copy()}>
        {copied ? <Check size={14} /> : <Copy size={14} />}
      </button>
    </span>
  );
}
