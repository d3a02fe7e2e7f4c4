// The page keeps to itself. (That nothing violates the policy and no other host is asked is checked in every case.)

import assert from "node:assert/strict";
import { says, shows } from "../harness.mjs";

export const cases = {
  "the policy is strict, and both pages work under it": async (test) => {
    const demo = await test.demo();
    for (const url of [demo.url, `${demo.url}/channels/numbers`, demo.greet]) {
      const answer = await fetch(url, { headers: { accept: "text/html" } });
      assert.equal(answer.status, 200, url);
      const policy = answer.headers.get("content-security-policy") ?? "";
      for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"]) {
        assert(policy.includes(rule), `${url} has no ${rule}`);
      }
      assert(!/unsafe|\*/.test(policy), policy);
      const page = await test.page(url);
      await says(page, /Live/);
    }
  },

  "the page's only connection to its feeds is one WebSocket": async (test) => {
    const demo = await test.demo();
    const page = await test.page("about:blank");
    const sockets = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    await page.goto(demo.url);
    await says(page, /Live/);
    await page.getByRole("link", { name: "numbers" }).click();
    await page.getByRole("link", { name: "time" }).click();
    await says(page, /Live/);
    assert.equal(sockets.length, 1, sockets.join());
  },

  "assets are named for their content and may be kept": async (test) => {
    const feed = await test.feed();
    const html = await (await fetch(feed.url, { headers: { accept: "text/html" } })).text();
    for (const [, path] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
      const answer = await fetch(feed.url + path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers.get("cache-control") ?? "", /immutable/, path);
      assert.match(answer.headers.get("etag") ?? "", /^"[^"]+"$/, path);
    }
  },

  "a text that looks like a script stays a text": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say("<script>globalThis.run = true</script>");
    await shows(page, "<script>globalThis.run = true</script>");
    assert.equal(await page.evaluate(() => globalThis.run), undefined);
  },
};
