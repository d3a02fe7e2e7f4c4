// Numbers are drawn, and said in words.

import assert from "node:assert/strict";
import { count, shows, until } from "../harness.mjs";

/** The drawn pixels of a plot's canvas. */
const ink = (plot) => plot.locator("canvas").evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let drawn = 0;
  for (let at = 3; at < data.length; at += 4) drawn += Number(data[at] > 0);
  return drawn;
});

const figures = (plot) => plot.locator("dl").evaluate((list) =>
  Object.fromEntries([...list.querySelectorAll("div")].map((pair) => [pair.firstChild.textContent, pair.lastChild.textContent])));

export const cases = {
  "numbers are plotted, with their last, minimum, maximum and mean in words": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say(...count(1, 100));
    await shows(page, "100");
    const plot = page.locator("figure.plot");
    await until("the plot has ink", async () => (await ink(plot)) > 500);
    await until("the figures are right", async () => (await figures(plot)).Count === "100");
    assert.deepEqual(await figures(plot), { Last: "100", Minimum: "1", Maximum: "100", Mean: "50.5", Count: "100" });
    const image = page.getByRole("img", { name: "Plot of feed" });
    assert.equal(await image.getAttribute("aria-describedby"), await plot.locator("dl").getAttribute("id"));
    feed.say("-7.25");
    await until("the figures follow", async () => (await figures(plot)).Minimum === "-7.25");
    await page.emulateMedia({ colorScheme: "dark" });
    await until("the plot is drawn anew in the dark", async () => (await ink(plot)) > 500);
  },

  "columns of numbers get a plot each, named by their heading": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say("procs -----memory---- -cpu", " r   free   buff  us  id");
    feed.say(...count(1, 20).map((n) => ` 1 ${7_000 + n * 3} 1234 ${n % 7} ${100 - (n % 7)}`));
    const names = () => page.locator("figcaption").allTextContents();
    await until("the liveliest are chosen", async () => (await names()).join() === "r,free,us,id");
    await page.getByText("Columns", { exact: true }).click();
    assert(await page.getByRole("checkbox", { name: "buff" }).isDisabled(), "four are the most");
    await page.getByRole("checkbox", { name: "us" }).uncheck();
    await page.getByRole("checkbox", { name: "buff" }).check();
    await until("the choice holds", async () => (await names()).join() === "r,free,buff,id");
    await test.picture("columns", page);
  },

  "text is not plotted": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say("2026-11-22T10:00:00.123456Z", "10:00", "one", "", "NaN", "1,5");
    await shows(page, "1,5");
    assert.equal(await page.locator("#plots").isVisible(), false);
  },
};
