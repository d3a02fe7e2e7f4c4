// For everyone: with a keyboard, with a screen reader, on a small screen, in the light and in the dark.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { count, marks, says, shows, until } from "../harness.mjs";

/** A page with all there is to show: numbers, a plot, a resumption, a gap. */
async function full(test, options) {
  const feed = await test.feed({ history: 30, channel: "numbers" });
  const way = await test.proxy(feed.port);
  const page = await test.page(way.url, options);
  feed.say(...count(1, 30).map((n) => String(Math.round(50 + 40 * Math.sin(n / 3)))));
  await until("all came", async () => (await page.locator("#messages time").count()) === 30);
  way.cut();
  await says(page, /\d+ s/);
  feed.say(...count(1, 40).map((n) => String(Math.round(50 + 40 * Math.cos(n / 5)))));
  await pause(300);
  way.mend();
  await marks(page, /10/);
  return { feed, page };
}

const axeCases = Object.fromEntries(["en-GB", "es-ES"].flatMap((locale) => ["light", "dark"].map((colorScheme) => [
  `axe finds nothing wrong: ${locale}, ${colorScheme}`,
  async (test) => {
    const { page } = await full(test, { locale, colorScheme, bypassCSP: true });
    await page.locator("summary").last().click();
    assert.deepEqual(await test.axe(page), []);
    await page.locator("#pause").click();
    assert.deepEqual(await test.axe(page), []);
    await page.locator("#pause").click();
    await test.picture(`page-${locale.slice(0, 2)}-${colorScheme}`, page);
    const demo = await test.demo();
    const small = await test.page(demo.greet, { locale, colorScheme, bypassCSP: true });
    await says(small, /Live|En directo/);
    await small.locator("#box").fill("Ana");
    await small.locator("#box").press("Enter");
    await shows(small, "Hola Ana!");
    assert.deepEqual(await test.axe(small), []);
    await test.picture(`greet-${locale.slice(0, 2)}-${colorScheme}`, small);
  },
])));

export const cases = {
  ...axeCases,

  "at 320 pixels nothing is cut off at the side": async (test) => {
    const { page } = await full(test, { locale: "es-ES", viewport: { width: 320, height: 640 } });
    const demo = await test.demo();
    const small = await test.page(demo.greet, { viewport: { width: 320, height: 640 } });
    await says(small, /Live/);
    for (const one of [page, small]) {
      const { scroll, client } = await one.evaluate(() => ({
        scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth,
      }));
      assert(scroll <= client, `${scroll} px in ${client} px`);
    }
    await test.picture("page-320", page);
  },

  "on any screen the newest message is in sight without scrolling": async (test) => {
    const feed = await test.feed();
    feed.say(" r   free   buff  us  id", ...count(1, 90).map((n) => ` ${n % 3} ${7_000 + n * 3} ${n % 5} ${n % 7} ${100 - (n % 7)}`));
    for (const [width, height] of [[320, 640], [640, 460], [640, 360], [900, 500], [1_200, 760]]) {
      const page = await test.page(feed.url, { viewport: { width, height } });
      await until("all came", async () => (await page.locator("#messages time").count()) === 91);
      await until(`the newest is in sight at ${width} x ${height}`, () =>
        page.locator("#messages .row").last().evaluate((row) => row.getBoundingClientRect().bottom <= innerHeight));
    }
  },

  "everything can be reached and done with the keyboard alone": async (test) => {
    const demo = await test.demo();
    const page = await test.page(demo.url);
    await until("messages come", async () => (await page.locator("#messages time").count()) > 0);
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to the messages");
    await page.keyboard.press("Enter");
    assert.equal(await focused(page), "messages");

    const order = [];
    await page.evaluate(() => document.activeElement.blur());
    await page.reload();
    await says(page, /Live/);
    for (let step = 0; step < 30; step += 1) {
      await page.keyboard.press("Tab");
      const name = await focused(page);
      if (name === null || order.includes(name)) break;
      order.push(name);
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, "none", `the focus on ${name} cannot be seen`);
    }
    const channels = await page.locator("#channels a").allTextContents();
    assert.deepEqual(channels.toSorted(), ["numbers", "time"]);
    assert.deepEqual(order, [
      "Skip to the messages", "Enchufe", "Español", ...channels, "Pause", "Announce messages", "messages", "Read it elsewhere",
    ]);

    await page.getByRole("link", { name: "numbers" }).focus();
    await page.keyboard.press("Enter");
    await until("numbers come", async () => (await page.locator("figure.plot").count()) === 1);
    assert.equal(await focused(page), "numbers");
    await page.locator("#pause").focus();
    await page.keyboard.press("Space");
    await until("it is paused", () => page.locator("#back").isVisible());
    await page.locator("#back").focus();
    await page.keyboard.press("Enter");
    await until("it is live", async () => !(await page.locator("#back").isVisible()));
    assert.equal(await focused(page), "messages");
  },

  "the page-up key reads back and the end key returns": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say(...count(1, 90));
    await shows(page, "90");
    await page.locator("#messages").focus();
    await page.keyboard.press("PageUp");
    await until("it is paused", () => page.locator("#back").isVisible());
    await page.keyboard.press("End");
    await until("it is live", async () => !(await page.locator("#back").isVisible()));
  },

  "messages are announced only when asked for, in at most one summary per 5 seconds": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    await says(page, /Live/);
    assert.equal(await page.locator("#messages").getAttribute("aria-live"), "off");
    await page.evaluate(() => {
      globalThis.heard = [];
      const region = document.getElementById("summary");
      new MutationObserver(() => region.textContent && globalThis.heard.push({ at: performance.now(), text: region.textContent }))
        .observe(region, { childList: true, characterData: true, subtree: true });
    });
    let n = 0;
    const timer = setInterval(() => feed.say(String((n += 1))), 100);
    try {
      await pause(1_500);
      assert.deepEqual(await page.evaluate(() => globalThis.heard), []);
      const button = page.getByRole("button", { name: "Announce messages" });
      await button.click();
      assert.equal(await button.getAttribute("aria-pressed"), "true");
      await until("two summaries were given", async () => (await page.evaluate(() => globalThis.heard.length)) >= 2, 20_000);
      const [first, second] = await page.evaluate(() => globalThis.heard);
      assert.match(first.text, /^\d+ new messages, the last: \d+$/);
      assert(second.at - first.at > 4_500, `${second.at - first.at} ms between two summaries`);
      await button.click();
      const before = await page.evaluate(() => globalThis.heard.length);
      await pause(5_500);
      assert.equal(await page.evaluate(() => globalThis.heard.length), before);
    } finally {
      clearInterval(timer);
    }
  },

  "a change of state is spoken once, without the countdown": async (test) => {
    const feed = await test.feed();
    const way = await test.proxy(feed.port);
    const page = await test.page(way.url);
    const said = page.locator("#said");
    assert.equal(await said.getAttribute("role"), "status");
    await until("live is spoken", async () => (await said.textContent()) === "Live");
    way.cut();
    await until("the loss is spoken", async () => (await said.textContent()) === "Reconnecting…");
    way.mend();
    await until("the return is spoken", async () => /Resumed|Live/.test(await said.textContent()));
  },

  "forced colours and reduced motion are respected": async (test) => {
    const { page } = await full(test, { forcedColors: "active", reducedMotion: "reduce" });
    const animated = await page.evaluate(() => document.getAnimations().length);
    assert.equal(animated, 0);
    await test.picture("page-forced-colours", page);
  },
};

/** What has the focus: the id of the list, else its name; null when nothing has. */
const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  return element.id === "messages" ? "messages" : element.textContent.trim();
});
