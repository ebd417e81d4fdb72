// Builds the system once for all tests, unless NEPENTHES names a program or CONSOLE_URL names a running system.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export default function build() {
  if (process.env.NEPENTHES || process.env.CONSOLE_URL) return;
  process.env.NEPENTHES = `${root}build/nepenthes`;
  execFileSync("go", ["build", "-o", process.env.NEPENTHES, "./local"], {
    cwd: root, stdio: "inherit", env: { ...process.env, CGO_ENABLED: "0" },
  });
}
