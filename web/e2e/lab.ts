import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type Locator, type Page } from "@playwright/test";
import { BIN, CACHE, ROOT } from "./places";
import { type Served, serve } from "./processes";

/** A JupyterLab of the test's own: its notebooks, settings and kernels lie in a folder that goes with it. */
export interface Lab extends Served {
  folder: string;
  /** Address of a notebook that is made of these cells. */
  write(name: string, cells: string[]): string;
}

export async function startLab(): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), "zscape-lab-"));
  const own = (name: string): string => {
    mkdirSync(join(folder, ".jupyter", name), { recursive: true });
    return join(folder, ".jupyter", name);
  };
  const notices = join(own("settings"), "@jupyterlab", "apputils-extension");
  mkdirSync(notices, { recursive: true });
  writeFileSync(
    join(notices, "notification.jupyterlab-settings"),
    JSON.stringify({ fetchNews: "false", checkForUpdates: false }),
  );
  const token = randomBytes(16).toString("hex");
  const args = [
    "lab",
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    `--ServerApp.root_dir=${folder}`,
    `--IdentityProvider.token=${token}`,
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
  ];
  const env = {
    ZSCAPE_CACHE: CACHE,
    PATH: `${BIN}:${process.env.PATH}`,
    JUPYTER_CONFIG_DIR: own("config"),
    JUPYTER_DATA_DIR: own("data"),
    JUPYTER_RUNTIME_DIR: own("runtime"),
    JUPYTERLAB_SETTINGS_DIR: own("settings"),
    JUPYTERLAB_WORKSPACES_DIR: own("workspaces"),
    IPYTHONDIR: own("ipython"),
    PYTHONPATH: ROOT,
  };
  const served = await serve(
    join(BIN, "jupyter"),
    args,
    /(http:\/\/127\.0\.0\.1:\d+\/)lab/,
    env,
    folder,
  );
  return {
    ...served,
    folder,
    write(name, cells) {
      const notebook = {
        cells: cells.map((source, i) => ({
          cell_type: "code",
          execution_count: null,
          id: `cell${i}`,
          metadata: {},
          outputs: [],
          source,
        })),
        metadata: { kernelspec: { display_name: "Python 3", language: "python", name: "python3" } },
        nbformat: 4,
        nbformat_minor: 5,
      };
      writeFileSync(join(folder, name), JSON.stringify(notebook));
      return `${served.url}lab/tree/${name}?token=${token}&reset`;
    },
    async stop() {
      await served.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A notebook as it is shown in JupyterLab. */
export class Notebook {
  constructor(readonly page: Page) {}

  cell(i: number): Locator {
    return this.page.locator(".jp-Notebook .jp-CodeCell").nth(i);
  }

  output(i: number): Locator {
    return this.cell(i).locator(".jp-Cell-outputArea");
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.waitForFunction("window.jupyterapp?.restored.then(() => true)", undefined, {
      timeout: 60_000,
    });
    await expect(this.cell(0)).toBeVisible({ timeout: 60_000 });
    await this.isIdle();
  }

  /** Waits for the kernel; what is run before it answers is lost. */
  async isIdle(): Promise<void> {
    const idle =
      "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'";
    const connected =
      "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.connectionStatus === 'connected'";
    await this.page.waitForFunction(`${idle} && ${connected}`, undefined, { timeout: 60_000 });
  }

  command(id: string, args: Record<string, string> = {}): Promise<unknown> {
    return this.page.evaluate(
      ([name, given]) => (window as any).jupyterapp.commands.execute(name, given),
      [id, args] as const,
    );
  }

  /** Runs a cell and waits until the kernel is done with it. */
  async run(i: number): Promise<void> {
    const prompt = this.cell(i).locator(".jp-InputArea-prompt");
    await this.cell(i).locator(".jp-InputArea-editor").click();
    const before = await prompt.textContent();
    await expect(async () => {
      await this.command("notebook:run-cell");
      await expect(prompt).not.toHaveText(before!, { timeout: 5_000 });
    }).toPass({ timeout: 60_000 });
    await expect(prompt).toHaveText(/\[\d+\]/, { timeout: 60_000 });
  }

  /** What a cell prints. */
  async prints(i: number): Promise<string> {
    await this.run(i);
    return (await this.output(i).textContent()) ?? "";
  }

  async restart(): Promise<void> {
    const done = this.command("notebook:restart-kernel");
    await this.page
      .locator(".jp-Dialog")
      .getByRole("button", { name: "Confirm Kernel Restart" })
      .click();
    await done;
    await this.isIdle();
  }
}
