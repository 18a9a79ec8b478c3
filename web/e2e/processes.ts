import { type ChildProcess, spawn } from "node:child_process";

/** A program that says at which address it is, once it is ready. */
export interface Served {
  url: string;
  process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts a program and waits until `pattern` is found in what it prints; its first group is the address. */
export function serve(
  command: string,
  args: string[],
  pattern: RegExp,
  env: Record<string, string>,
  cwd: string,
): Promise<Served> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, OMP_NUM_THREADS: "1", ...env },
  });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      const last = setTimeout(() => child.kill("SIGKILL"), 10_000);
      child.once("exit", () => {
        clearTimeout(last);
        resolve();
      });
      child.kill("SIGTERM");
    });
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (chunk: Buffer): void => {
      said += chunk;
      const match = pattern.exec(said);
      if (match) resolve({ url: match[1], process: child, stop });
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("exit", (code) => reject(new Error(`${command} ended with ${code}:\n${said}`)));
  });
}
