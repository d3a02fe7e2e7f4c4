// A connection that is lost comes back, goes on where it stopped, and tells what happened.

import assert from "node:assert/strict";
import { count, marks, says, shows, texts, until } from "../harness.mjs";

export const cases = {
  "after a cut the page goes on where it stopped and says that nothing was missed": async (test) => {
    const feed = await test.feed();
    const way = await test.proxy(feed.port);
    const page = await test.page(way.url);
    feed.say(...count(1, 5));
    await shows(page, "5");
    way.cut();
    await says(page, /Reconnecting/);
    await test.picture("reconnecting", page);
    feed.say(...count(6, 12));
    way.mend();
    await says(page, /Live/);
    await shows(page, "12");
    await marks(page, /^Resumed, nothing missed$/);
    assert.deepEqual(await texts(page), count(1, 12));
  },

  "after a cut without new messages it says so as well": async (test) => {
    const feed = await test.feed();
    const way = await test.proxy(feed.port);
    const page = await test.page(way.url);
    feed.say("only");
    await shows(page, "only");
    way.cut();
    await says(page, /Reconnecting/);
    way.mend();
    await marks(page, /^Resumed, nothing missed$/);
    feed.say("next");
    await shows(page, "next");
    assert.deepEqual(await texts(page), ["only", "next"]);
  },

  "messages that the history no longer keeps are a gap, in its place": async (test) => {
    const feed = await test.feed({ history: 5 });
    const way = await test.proxy(feed.port);
    const page = await test.page(way.url);
    feed.say(...count(1, 5));
    await shows(page, "5");
    const witness = await test.page(feed.url);
    await shows(witness, "5");
    way.cut();
    await says(page, /Reconnecting/);
    for (const line of count(6, 17)) {
      feed.say(line);
      await shows(witness, line);
    }
    way.mend();
    await shows(page, "17");
    const rows = await page.locator("#messages .row").allTextContents();
    const gap = rows.findIndex((row) => row === "7 messages missed: no longer kept in the history");
    assert(gap > 0, `no gap in ${rows.join(" | ")}`);
    assert.match(rows[gap - 1], /^Connection resumed$/);
    assert.match(rows[gap - 2], /5$/);
    assert.match(rows[gap + 1], /13$/);
    assert.match(await page.locator("#messages .gap").getAttribute("title"), /between positions \S+ and \S+/);
    assert.deepEqual(await texts(page), [...count(1, 5), ...count(13, 17)]);
    await test.picture("gap", page);
  },

  "a server that is killed and started again: reconnecting, then resumed on its new log": async (test) => {
    const first = await test.feed();
    const page = await test.page(first.url);
    first.say("from the first");
    await shows(page, "from the first");
    await first.kill();
    await says(page, /Reconnecting in \d+ s|Reconnecting…|Server gone/);
    const second = await test.feed({ port: first.port });
    second.say("from the second");
    await says(page, /Live/, 30_000);
    await shows(page, "from the second");
    await marks(page, /^Connection resumed$|^Resumed/);
    await marks(page, /the server began a new log/);
    assert.deepEqual(await texts(page), ["from the first", "from the second"]);
    await test.picture("restarted", page);
  },

  "a server asked to stop tells its viewers, and the page waits for it": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    await says(page, /Live/);
    await feed.kill("SIGTERM");
    await says(page, /Reconnecting/);
  },

  "a server that stays away is called gone, and can be tried at once": async (test) => {
    const feed = await test.feed();
    const way = await test.proxy(feed.port);
    const page = await test.page(way.url);
    await says(page, /Live/);
    way.cut();
    await says(page, /Server gone, next try in \d+ s/, 30_000);
    assert.equal(await page.locator("#said").textContent(), "Server gone");
    way.mend();
    await page.getByRole("button", { name: "Try now" }).click();
    await says(page, /Live/);
  },

  "each channel keeps its place while another is shown": async (test) => {
    const demo = await test.demo();
    const page = await test.page(demo.url);
    await page.getByRole("link", { name: "numbers" }).click();
    await until("numbers come", async () => (await texts(page)).length >= 3);
    assert(page.url().endsWith("/channels/numbers"));
    const before = await texts(page);
    await page.getByRole("link", { name: "time" }).click();
    await until("times come", async () => /^\d{4}-\d\d-\d\dT/.test((await texts(page))[0]));
    await page.goBack();
    await until("numbers go on", async () => (await texts(page)).length > before.length + 2);
    assert.deepEqual((await texts(page)).slice(0, before.length), before);
    assert.equal(await page.locator("#messages .mark").count(), 0, "nothing was lost on the way");
  },

  "a channel that does not exist is named": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    await says(page, /Live/);
    await page.evaluate(() => {
      history.pushState(null, "", "/channels/absent");
      dispatchEvent(new PopStateEvent("popstate"));
    });
    await says(page, /There is no channel “absent”/);
    await page.getByRole("link", { name: "feed" }).click();
    await says(page, /Live/);
  },
};
