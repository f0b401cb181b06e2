import {
  Box,
  CircleCheckBig,
  House,
  type LucideIcon,
  Network,
  Play,
  Rocket,
  ServerCog,
  SlidersHorizontal,
  UsersRound,
} from "lucide-react";

export interface Destination {
  readonly to: "/" | "/graph" | "/assets" | "/checks" | "/runs" | "/launch" | "/teams" | "/system" | "/settings";
  readonly label: string;
  /** Typed after `g`. */
  readonly key: string;
  readonly icon: LucideIcon;
}

/** The pages that there are, in the order of the sidebar. */
export const destinations: readonly Destination[] = [
  { to: "/", label: "Home", key: "h", icon: House },
  { to: "/graph", label: "Graph", key: "g", icon: Network },
  { to: "/assets", label: "Assets", key: "a", icon: Box },
  { to: "/checks", label: "Checks", key: "c", icon: CircleCheckBig },
  { to: "/runs", label: "Runs", key: "r", icon: Play },
  { to: "/launch", label: "Launch", key: "n", icon: Rocket },
  { to: "/teams", label: "Teams", key: "t", icon: UsersRound },
  { to: "/system", label: "System", key: "s", icon: ServerCog },
  { to: "/settings", label: "Settings", key: ",", icon: SlidersHorizontal },
];
