import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PORT = 2898;
const PREFERENCES = `user_pref("marionette.port", ${PORT});
user_pref("webgl.force-enabled", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
`;

/** Firefox, by the protocol it speaks itself: Playwright can only drive a build of its own. */
export class Firefox {
  private readonly waiting = new Map<number, (answer: [error: unknown, value: any]) => void>();
  private received = Buffer.alloc(0);
  private lastId = 0;

  private constructor(
    private readonly socket: Socket,
    private readonly end: () => void,
  ) {
    socket.on("data", (chunk) => this.receive(chunk as Buffer)); // without an encoding it is never text
  }

  static async start(program: string): Promise<Firefox> {
    const profile = mkdtempSync(join(tmpdir(), "zscape-firefox-"));
    writeFileSync(join(profile, "user.js"), PREFERENCES);
    const args = [
      "--headless",
      "--no-remote",
      "--marionette",
      "--profile",
      profile,
      "--width",
      "1280",
      "--height",
      "900",
    ];
    const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, HOME: profile } });
    const end = (): void => {
      child.once("exit", () => rmSync(profile, { recursive: true, force: true }));
      child.kill();
    };
    for (let i = 0; i < 120; i++) {
      const socket = await connected();
      if (socket) {
        const firefox = new Firefox(socket, end);
        await firefox.call("WebDriver:NewSession", {});
        return firefox;
      }
      await sleep(500);
    }
    end();
    throw new Error("Firefox did not start.");
  }

  async call(name: string, parameters: object): Promise<any> {
    const id = ++this.lastId;
    const message = JSON.stringify([0, id, name, parameters]);
    const answer = new Promise<[unknown, any]>((resolve) => this.waiting.set(id, resolve));
    this.socket.write(`${Buffer.byteLength(message)}:${message}`);
    const [error, value] = await answer;
    if (error) throw new Error(`${name}: ${JSON.stringify(error)}`);
    return value;
  }

  /** The value of the body of a function in the page. */
  async evaluate<T>(script: string, ...args: unknown[]): Promise<T> {
    return (await this.call("WebDriver:ExecuteScript", { script, args, sandbox: null })).value as T;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    for (let i = 0; i < 150; i++) {
      if (await this.evaluate<boolean>(`return Boolean(${expression})`)) return;
      await sleep(200);
    }
    throw new Error(`never true in Firefox: ${expression}`);
  }

  async click(x: number, y: number): Promise<void> {
    const actions = [
      { type: "pointerMove", x: Math.round(x), y: Math.round(y), duration: 0 },
      { type: "pointerDown", button: 0 },
      { type: "pointerUp", button: 0 },
    ];
    await this.call("WebDriver:PerformActions", {
      actions: [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }],
    });
  }

  close(): void {
    this.socket.destroy();
    this.end();
  }

  private receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (;;) {
      const colon = this.received.indexOf(":");
      const length = Number(this.received.subarray(0, colon).toString());
      if (colon < 0 || this.received.length < colon + 1 + length) return;
      const message = JSON.parse(this.received.subarray(colon + 1, colon + 1 + length).toString());
      this.received = this.received.subarray(colon + 1 + length);
      if (!Array.isArray(message)) continue; // its greeting
      const [, id, error, value] = message;
      this.waiting.get(id)?.([error, value]);
      this.waiting.delete(id);
    }
  }
}

function connected(): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(PORT, "127.0.0.1");
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(null));
  });
}
