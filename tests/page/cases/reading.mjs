// Reading back without being pulled to the end.

import assert from "node:assert/strict";
import { count, says, shows, texts, until } from "../harness.mjs";

const back = (page) => page.locator("#back");
const atEnd = (page) => page.locator("#messages").evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 8);

export const cases = {
  "pausing holds the list still and counts what is new; continuing brings it": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say("before");
    await shows(page, "before");
    await page.getByRole("button", { name: "Pause" }).click();
    feed.say(...count(1, 7));
    await until("the button counts", async () => /^7 new messages/.test(await back(page).innerText()));
    assert.deepEqual(await texts(page), ["before"]);
    await test.picture("paused", page);
    await page.getByRole("button", { name: "Continue" }).click();
    await shows(page, "7");
    assert.deepEqual(await texts(page), ["before", ...count(1, 7)]);
    assert.equal(await back(page).isVisible(), false);
  },

  "scrolling back pauses; a button returns to live and so does scrolling to the end": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say(...count(1, 90));
    await shows(page, "90");
    assert(await atEnd(page), "the newest is visible");
    await page.locator("#messages").hover();
    for (const way of ["button", "scrolling"]) {
      await page.mouse.wheel(0, -600);
      await until("the way back is offered", () => back(page).isVisible());
      const top = await page.locator("#messages").evaluate((log) => log.scrollTop);
      feed.say(`during ${way}`);
      await until("the new one is counted", async () => /^1 new message ·/.test(await back(page).innerText()));
      assert.equal(await page.locator("#messages").evaluate((log) => log.scrollTop), top);
      if (way === "button") await back(page).click();
      else await page.mouse.wheel(0, 100_000);
      await shows(page, `during ${way}`);
      await until("the newest is visible", () => atEnd(page));
      assert.equal(await back(page).isVisible(), false);
    }
    feed.say("after");
    await shows(page, "after");
    await until("the list follows again", () => atEnd(page));
  },

  "continuing wins over a scroll that the browser has not finished": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say(...count(1, 900).map((n) => `line ${n}`));
    await shows(page, "line 900");
    await page.locator("#messages").press("Home");
    await until("it is paused", () => back(page).isVisible());
    await page.getByRole("button", { name: "Continue" }).click();
    feed.say("after");
    await shows(page, "after");
    await until("the newest is visible", () => atEnd(page));
    assert.equal(await back(page).isVisible(), false);
  },

  "after a pause longer than the list, the latest 1,000 are there": async (test) => {
    const feed = await test.feed({ history: 5_000 });
    const page = await test.page(feed.url);
    await says(page, /Live/);
    feed.say("before");
    await shows(page, "before");
    await page.getByRole("button", { name: "Pause" }).click();
    feed.say(...count(1, 3_000));
    await until("all are counted", async () => /^3,000 new/.test(await back(page).innerText()));
    await back(page).click();
    await shows(page, "3000");
    assert.deepEqual(await texts(page), count(2_001, 3_000));
  },
};
