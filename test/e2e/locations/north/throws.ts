import { asset } from "@headgate/sdk";

function readSettings(): string {
  throw new Error("settings.toml is missing");
}

export const fromThrowingModule = asset({
  key: "north/from_throwing_module",
  tags: { a: readSettings() },
  compute: () => 1,
});
