import { expect, test } from "./explorer";

/** What the page says is what is there: each of these was once silently false. */

test("Escape lets go of a selection and a path, with the map in focus", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  await explorer.drags("Lasso");
  await explorer.drag([
    [0.35, 0.3],
    [0.65, 0.3],
    [0.65, 0.6],
    [0.35, 0.6],
    [0.35, 0.32],
  ]);
  await explorer.map.focus();
  await expect(explorer.selection).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(explorer.selection).toBeHidden();

  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.4],
    [0.7, 0.6],
  ]);
  await expect(explorer.strip).toBeVisible();
  await explorer.map.focus();
  await explorer.clickMap(0.5, 0.5); // the first corner of another
  await page.keyboard.press("Escape"); // gives up the corner, and only that
  await expect(explorer.strip).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(explorer.strip).toBeHidden();
});

test("the card under a pointer that rests follows what comes under it", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  const { index } = await explorer.findPoint();
  const number = async () =>
    (await explorer.card.isVisible()) ? (await explorer.card.textContent())!.split("no. ")[1] : "";
  await page.keyboard.press("]");
  await expect.poll(number).not.toBe(index);
  await page.keyboard.press("[");
  await expect.poll(number).toBe(index);
  await explorer.drags("Move");
  await explorer.findPoint();
  await expect(explorer.card).toBeVisible();
  const shown = await number();
  await explorer.map.focus();
  await page.keyboard.press("Shift+ArrowLeft");
  await expect.poll(number).not.toBe(shown);
  await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(number).toBe(shown);
  for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -500); // zooms about the pointer, not the point
  await expect.poll(number).not.toBe(shown);
});

test("a picture looks the same on the map and beside it, on a light page too", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  await expect(page.locator("[data-theme]")).toHaveAttribute("data-theme", "light");
  const black = async () =>
    page.evaluate(
      async (png) => {
        const image = new Image();
        image.src = `data:image/png;base64,${png}`;
        await image.decode();
        const canvas = Object.assign(document.createElement("canvas"), {
          width: image.width,
          height: image.height,
        });
        const context = canvas.getContext("2d")!;
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, image.width, image.height);
        return data.filter((_, i) => i % 4 === 0 && data[i] + data[i + 1] + data[i + 2] === 0)
          .length;
      },
      await explorer.look(),
    );
  expect(await black()).toBeLessThan(100);
  await explorer.map.hover();
  for (let i = 0; i < 3; i++) await page.mouse.wheel(0, -500);
  // Digits are white on black, as the large picture of them is.
  await expect.poll(black).toBeGreaterThan(10_000);
});

test("an error says what it is measured from", async ({ openFile }) => {
  const explorer = await openFile("digits");
  await explorer.choice("Colour").selectOption("error");
  await expect(explorer.legend).toContainText("a perfect copy has 0");
});

test("hidden classes are said to be hidden, whatever the colour, and from a link", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits", "#color=kl&hide=1~7");
  const shown = explorer.root.getByTestId("shown");
  await expect(shown).toHaveText(/^1 \d\d\d of 2 000 shown · select · show all$/);
  await explorer.choice("Colour").selectOption("class");
  await expect(shown).toBeVisible();
  await explorer.choice("Colour").selectOption("z3");
  await explorer.button("show all").click();
  await expect(shown).toHaveText("2 000 of 2 000 shown · select");
  await explorer.addressHas("hide", null);
  await page.goto("about:blank");
  const again = await openFile("digits", "#hide=77"); // no such class
  await expect(again.root.getByTestId("shown")).toHaveText("2 000 of 2 000 shown · select");
});

test("a selection counts and averages what is shown", async ({ openFile }) => {
  const explorer = await openFile("digits");
  await explorer.drags("Lasso");
  await explorer.drag([
    [0.1, 0.1],
    [0.9, 0.1],
    [0.9, 0.9],
    [0.1, 0.9],
    [0.1, 0.12],
  ]);
  const text = explorer.selection.locator("strong");
  const number = async () => Number((await text.textContent())!.replace(/\D/g, ""));
  const all = await number();
  await explorer.button("Mean picture").click();
  const mean = await explorer.z();
  await explorer.legend.getByRole("button", { name: "0", exact: true }).click();
  await expect(explorer.selection).toContainText(/· [\d ]+ more hidden/);
  expect(await number()).toBeLessThan(all);
  await expect(explorer.selection).not.toContainText("“0”");
  await explorer.button("Mean picture").click();
  await expect.poll(() => explorer.z()).not.toEqual(mean);
  await explorer.button("show all").click();
  await expect.poll(number).toBe(all);
  await explorer.button("Mean picture").click();
  await expect.poll(() => explorer.z()).toEqual(mean);
});

test("a slider's thumb, its curve and its field say the same, beyond the range too", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  const slider = explorer.root.getByRole("slider", { name: "Neuron z4" });
  const field = explorer.root.getByLabel("Value of z4");
  const curve = slider.locator("xpath=../*[name()='svg']/*[name()='path']");
  const [min, max] = await slider.evaluate((each: HTMLInputElement) => [+each.min, +each.max]);
  /** Where the curve has 0, as the page draws it, and where the thumb would be at 0. */
  const apart = async () => {
    const box = (await curve.boundingBox())!; // from min to max
    const track = (await slider.boundingBox())!;
    const [low, high] = await slider.evaluate((each: HTMLInputElement) => [+each.min, +each.max]);
    const zero = box.x + (box.width * -min) / (max - min);
    const thumb = track.x + 8 + ((track.width - 16) * -low) / (high - low); // it is 16 pixels wide
    return Math.abs(zero - thumb);
  };
  await expect(curve).toHaveAttribute("d", /^M/);
  expect(await apart()).toBeLessThan(1);
  await field.fill("40");
  await page.keyboard.press("Enter");
  await expect(slider).toHaveValue("40");
  expect(await apart()).toBeLessThan(1);
  await field.fill("");
  await page.keyboard.press("Tab");
  await expect(field).toHaveValue("40.00");
  await field.fill("");
  await page.keyboard.press("Enter");
  await expect(field).toHaveValue("40.00");
  await explorer.button("Reset").click();
  await expect(slider).toHaveAttribute("max", String(max)); // and back
  expect(await apart()).toBeLessThan(1);
  await explorer.button("Undo").click();
  await expect(field).toHaveValue("40.00");
  await explorer.button("Undo").click();
  await expect(field).not.toHaveValue("40.00"); // an emptied field was no step
});

test("a path is the one that was drawn, after another map and back", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Path");
  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.3],
    [0.4, 0.6],
    [0.6, 0.3],
    [0.7, 0.6],
  ]);
  await explorer.addressHas("path", /./);
  const [drawn, text] = [await explorer.address("path"), await explorer.strip.textContent()];
  await page.waitForTimeout(400);
  const map = await explorer.look();
  const pictures = explorer.root.getByRole("spinbutton", { name: "Pictures" });
  await explorer.choice("Map").selectOption("umap");
  await pictures.fill("7");
  await page.keyboard.press("Enter");
  await explorer.choice("Way").selectOption("line");
  await explorer.choice("Way").selectOption("map");
  await pictures.fill("");
  await page.keyboard.press("Enter");
  await expect(pictures).toHaveValue("7"); // nothing is no number
  await pictures.fill("10");
  await page.keyboard.press("Enter");
  await explorer.choice("Map").selectOption("tsne");
  await explorer.addressHas("path", drawn);
  await expect(explorer.strip).toHaveText(text!);
  await explorer.root.getByRole("heading").first().hover();
  await expect.poll(() => explorer.look()).toBe(map);
});

test("a neuron's curves, its pictures and the numbers below have one axis", async ({
  openFile,
}) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Classes");
  const neuron = explorer.root.getByTestId("neuron");
  const parts = [
    neuron.locator(".zs-ridge svg").first(),
    neuron.getByRole("grid", { name: /^Pictures for/ }).locator("canvas"),
    neuron.locator(".zs-axis-x"),
  ];
  const ends = await Promise.all(
    parts.map(async (part) => {
      const { x, width } = (await part.boundingBox())!;
      return [x, x + width].map(Math.round);
    }),
  );
  expect(ends[1]).toEqual(ends[0]);
  expect(ends[2]).toEqual(ends[0]);
});

test("how far to trust a picture: what was measured, how, and at every stop of a path", async ({
  openFile,
}) => {
  const explorer = await openFile("digits");
  await explorer.button("Reset").click(); // decodes to something between an 8 and a 9
  await expect(explorer.trust).toContainText(/^Close to the data: [01]\.\d × the usual distance\./);
  const why = explorer.trust.getByText("may be a mix of both");
  await expect(why).toBeHidden();
  await explorer.trust.locator("summary").click();
  await expect(why).toBeVisible();
  await expect(explorer.trust).toContainText(/nearest picture of the data lies \d\.\d\d away/);

  await explorer.openTab("Path");
  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.4],
    [0.7, 0.6],
  ]);
  await expect(explorer.strip.locator("[data-level]")).toHaveText(Array(10).fill(/^\d+(\.\d)? ×$/));
  const third = explorer.strip.getByRole("listitem").nth(2);
  const said = await third.locator("[data-level]").textContent();
  await third.click();
  await expect(explorer.trust).toContainText(`: ${said} the usual distance.`);
});

test("a drawing outlives its tab, and nothing outlives the drawing", async ({ openFile, page }) => {
  const explorer = await openFile("digits");
  const first = await explorer.origin.textContent();
  await explorer.openTab("Draw");
  const pad = explorer.root.getByTestId("pad");
  const nearest = explorer.root.getByTestId("nearest");
  const stroke = async () => {
    await pad.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await pad.boundingBox())!;
    await page.mouse.move(x + width / 2, y + 0.15 * height);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + 0.85 * height, { steps: 8 });
    await page.mouse.up();
    await expect(nearest).toBeVisible();
  };
  await stroke();
  const ink = await explorer.pixels(pad);
  await explorer.openTab("Neurons");
  await explorer.button("Random").click();
  await explorer.openTab("Draw");
  expect(await explorer.pixels(pad)).toBe(ink);
  await expect(nearest).toBeVisible();
  await expect(explorer.origin).toHaveText("Random, from the prior");
  await explorer.button("Clear").click();
  await expect(explorer.origin).toHaveText("Random, from the prior"); // not of the drawing
  // What was cleared comes back, then the random vector goes, then the stroke.
  for (const _ of ["Clear", "Random", "stroke"]) await page.keyboard.press("Control+z");
  await expect(explorer.origin).toHaveText(first!);

  await stroke();
  await expect(explorer.origin).toHaveText("Your drawing");
  await explorer.button("Undo stroke").click();
  expect(await explorer.colours(pad)).toBe(1);
  await expect(nearest).toBeHidden();
  await expect(explorer.origin).toHaveText(first!);
});

test("play gives way to whoever goes elsewhere, and where it stops can be come back to", async ({
  openFile,
  page,
}) => {
  const explorer = await openFile("digits");
  await explorer.openTab("Path");
  await explorer.drags("Path");
  await explorer.drag([
    [0.3, 0.4],
    [0.7, 0.6],
  ]);
  await expect(explorer.strip.locator("canvas")).toHaveCount(10);
  await explorer.drags("Walk");
  const first = await explorer.pixels();
  await explorer.button("Play").click();
  await explorer.shows(await explorer.shows(first));
  await explorer.clickMap(0.01, 0.02);
  await expect(explorer.origin).toHaveText(/^On the map at/);
  const there = await explorer.pixels();
  await expect(explorer.button("Play")).toHaveAttribute("aria-pressed", "false");
  await page.waitForTimeout(300); // several frames of a film that goes on
  expect(await explorer.pixels()).toBe(there);
  await page.keyboard.press("Control+z");
  await expect(explorer.origin).toHaveText(/^On the path/);

  await explorer.button("Play").click();
  await explorer.shows(await explorer.pixels());
  await explorer.button("Stop").click();
  const stopped = await explorer.pixels();
  await page.keyboard.press("r");
  await explorer.shows(stopped);
  await page.keyboard.press("Control+z");
  await expect(explorer.origin).toHaveText(/^On the path/);
  expect(await explorer.pixels()).toBe(stopped);
});

test("text, sliders and pictures agree at every moment, also between frames", async ({
  openFile,
  page,
}) => {
  // On a busy machine frames come late.
  await page.addInitScript(() => {
    window.requestAnimationFrame = (draw) =>
      setTimeout(() => draw(performance.now()), 500) as unknown as number;
    window.cancelAnimationFrame = (request) => clearTimeout(request);
  });
  const explorer = await openFile("digits");
  const seen = async () => [await explorer.z(), await explorer.pixels()];
  await explorer.choice("Set to the mean").selectOption("7");
  await expect(explorer.origin).toHaveText("Mean of all “7”");
  const seven = await seen();
  await explorer.button("Reset").click();
  await expect(explorer.origin).toHaveText("The origin: all neurons 0");
  expect((await seen())[0]).toEqual(Array(10).fill(0));
  await explorer.button("Undo").click();
  await expect(explorer.origin).toHaveText("Mean of all “7”");
  expect(await seen()).toEqual(seven);
});
