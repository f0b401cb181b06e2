import { House, type LucideIcon, SlidersHorizontal } from "lucide-react";

export interface Destination {
  readonly to: "/" | "/settings";
  readonly label: string;
  /** Typed after `g`. */
  readonly key: string;
  readonly icon: LucideIcon;
}

/** The pages that there are, in the order of the sidebar. */
export const destinations: readonly Destination[] = [
  { to: "/", label: "Home", key: "h", icon: House },
  { to: "/settings", label: "Settings", key: ",", icon: SlidersHorizontal },
];
