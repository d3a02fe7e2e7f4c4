// What is published is shown: all of it, in order, as it is, and without freezing the page.

import assert from "node:assert/strict";
import { count, says, shows, texts, until } from "../harness.mjs";

export const cases = {
  "messages appear as they are published, each with its time and its position": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    await says(page, /Live/);
    feed.say("first", "second");
    await shows(page, "second");
    assert.deepEqual(await texts(page), ["first", "second"]);
    const time = page.locator("#messages time").first();
    assert.match(await time.innerText(), /^\d\d:\d\d:\d\d\.\d\d\d$/);
    assert.match(await time.getAttribute("title"), /position [0-9a-z]+-\d+$/);
  },

  "a viewer who comes late gets the history, and then what follows": async (test) => {
    const feed = await test.feed();
    const early = await test.page(feed.url);
    feed.say(...count(1, 40));
    await shows(early, "40");
    const late = await test.page(feed.at);
    await shows(late, "40");
    feed.say("41");
    await shows(late, "41");
    assert.deepEqual(await texts(late), count(1, 41));
  },

  "a late viewer sees the latest 100, and the rest of the history on request": async (test) => {
    const feed = await test.feed();
    const early = await test.page(feed.url);
    feed.say(...count(1, 250));
    await shows(early, "250");
    const late = await test.page(feed.url);
    await shows(late, "250");
    assert.deepEqual(await texts(late), count(151, 250));
    const button = late.getByRole("button", { name: "Show earlier messages" });
    await button.scrollIntoViewIfNeeded();
    await until("the list stands still", () => late.locator("#back").isVisible());
    await button.click();
    await shows(late, "1");
    assert.deepEqual(await texts(late), count(1, 250));
    assert.equal(await late.locator("#before").innerText(), "The history begins here");
    assert(await late.getByText("151", { exact: true }).isVisible(), "what was read stays in view");
    await until("the plot knows them", async () => (await late.locator(".minimum dd").innerText()) === "1");
    assert.equal(await late.locator("#received").innerText(), "250 messages");
    feed.say("251");
    await until("the new one is counted", async () => /^1 new message/.test(await late.locator("#back").innerText()));
    await late.locator("#messages").press("End");
    await shows(late, "251");
    assert.deepEqual(await texts(late), count(1, 251));
  },

  "a tab that was frozen in a flood shows the gap in its place, and accounts for every message": async (test) => {
    const feed = await test.feed({ history: 1_000 });
    const page = await test.page(feed.url);
    feed.say("first");
    await shows(page, "first");
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    feed.say(...count(1, 100_000));
    await until("all are published", async () =>
      (await (await fetch(`${feed.at}?since=last:1`, { headers: { accept: "application/json" } })).json()).items[0].data === "100000");
    const thawed_ms = performance.now();
    await devtools.send("Page.setWebLifecycleState", { state: "active" });
    await shows(page, "100000");
    assert(performance.now() - thawed_ms < 5_000, "the page is up to date soon");
    assert.deepEqual(await texts(page), count(99_001, 100_000));
    const number = (text) => Number(text.replace(/,/g, ""));
    const told = (await page.locator("#messages .gap").allTextContents()).map((text) =>
      number(/^([\d,]+) messages? missed: slow reader$/.exec(text)[1]));
    const above = /before them ([\d,]+) were missed$/.exec(await page.locator("#before").textContent());
    const missed = number((await page.locator("#missed").innerText()).match(/[\d,]+/)[0]);
    const received = number((await page.locator("#received").innerText()).match(/[\d,]+/)[0]);
    assert(missed > 0 && received + missed === 100_001, `${received} received, ${missed} missed`);
    assert.equal(told.reduce((sum, one) => sum + one, above ? number(above[1]) : 0), missed, "each gap is where it belongs, or above");
    await page.locator("#messages").press("Home");
    await until("the first row is in view", () => page.locator("#messages").evaluate((log) => log.scrollTop === 0));
    await test.picture("gap-after-flood", page);
    await page.getByRole("button", { name: "Continue" }).click({ timeout: 5_000 });
    feed.say("last");
    await shows(page, "last");
  },

  "control and bidi characters are written out, and markup is only text": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say("a\u001b[31mred\u0007", "x\u202egnp.exe", "<b>bold</b><img src=x onerror=alert(1)>", "مرحبا");
    await shows(page, "مرحبا");
    assert.deepEqual(await texts(page), [
      "a\\x1b[31mred\\x07", "x\\u202egnp.exe", "<b>bold</b><img src=x onerror=alert(1)>", "مرحبا",
    ]);
    assert.equal(await page.locator("#messages img").count(), 0);
    const directions = await page.locator("#messages .text").evaluateAll((all) => all.map((one) => getComputedStyle(one).direction));
    assert.deepEqual(directions, ["ltr", "ltr", "ltr", "rtl"]);
  },

  "a long message is cut, and says how much is left out": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say("x".repeat(100_000));
    await shows(page, `${"x".repeat(4_000)}… and 96,000 more characters`);
  },

  "after 20,000 messages at once the list holds the latest 1,000": async (test) => {
    const feed = await test.feed({ history: 30_000 });
    const page = await test.page(feed.url);
    await says(page, /Live/);
    feed.say(...count(1, 20_000));
    await shows(page, "20000");
    assert.deepEqual(await texts(page), count(19_001, 20_000));
    assert.equal(await page.locator("#received").innerText(), "20,000 messages");
  },

  "at 300 messages a second the page goes on answering": async (test) => {
    const feed = await test.feed({ history: 5_000 });
    const page = await test.page(feed.url);
    await says(page, /Live/);
    await page.evaluate(() => {
      let last = performance.now();
      globalThis.longest_ms = 0;
      (function frame() {
        const now = performance.now();
        globalThis.longest_ms = Math.max(globalThis.longest_ms, now - last);
        last = now;
        requestAnimationFrame(frame);
      })();
    });
    let n = 0;
    const timer = setInterval(() => feed.say(...count(n + 1, (n += 15))), 50);
    try {
      await until("1,500 messages came", async () => (await page.locator("#received").innerText()).replace(/\D/g, "") >= 1_500);
    } finally {
      clearInterval(timer);
    }
    await shows(page, String(n));
    const longest_ms = await page.evaluate(() => globalThis.longest_ms);
    assert(longest_ms < 1_000, `the page stood still for ${longest_ms} ms`);
    await page.getByRole("button", { name: "Pause" }).click({ timeout: 5_000 });
  },

  "the end of the program is told, with its exit status, and its messages stay": async (test) => {
    const feed = await test.feed({ exec: ["sh", "-c", "echo working; sleep 1; echo done; exit 3"] });
    const page = await test.page(feed.url);
    await shows(page, "done");
    await says(page, /Ended: failed with exit status 3/);
    assert.deepEqual(await texts(page), ["working", "done"]);
    await until("the end is a row", async () =>
      (await page.locator("#messages .mark").allTextContents()).join() === "The source ended: failed with exit status 3");
    await until("the list of channels tells it", async () => /ended/.test(await page.locator("#channels").innerText()));
    const late = await test.page(feed.url, { locale: "es-ES" });
    await shows(late, "done");
    await says(late, /Terminado: falló con estado de salida 3/);
    await test.picture("ended-es", late);
  },
};
