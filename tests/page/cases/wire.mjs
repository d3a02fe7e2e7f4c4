// What a server says rarely: its half of enchufe.v1 is played here, frame by frame.

import assert from "node:assert/strict";
import { marks, says, shows, texts, until } from "../harness.mjs";

/** A page of a real server, whose WebSocket is answered by this script. */
async function played(test, onSubscribe, options) {
  const feed = await test.feed();
  const server = { subscriptions: [], say: null, close: null };
  const page = await test.page(feed.url, {
    ...options,
    before: async (one) => {
      await options?.before?.(one);
      await one.routeWebSocket(/^ws:/, (socket) => {
        server.say = (type, body = {}) => socket.send(JSON.stringify({ [type]: { channel: "feed", ...body } }));
        server.raw = (frame) => socket.send(frame);
        server.close = () => socket.close();
        socket.onMessage((text) => {
          const [[type, body]] = Object.entries(JSON.parse(text));
          if (type !== "subscribe") return;
          server.subscriptions.push(body);
          onSubscribe(server, body);
        });
      });
    },
  });
  return { page, server };
}

const TIME = "2026-11-22T10:00:00.123456Z";
const message = (server, offset, data = `m${offset}`) => server.say("message", { position: `e-${offset}`, time: TIME, data });

export const cases = {
  "the first subscription asks for the last 100, a later one for what comes after the last": async (test) => {
    const { page, server } = await played(test, (one, { since }) => {
      one.say("subscribed", { position: since.startsWith("last") ? "e-0" : since });
      if (one.subscriptions.length === 1) for (const offset of [1, 2, 5]) message(one, offset);
    });
    await shows(page, "m5");
    server.close();
    await until("it subscribed again", () => server.subscriptions.length === 2);
    assert.deepEqual(server.subscriptions.map(({ since, slow }) => [since, slow]), [["last:100", "skip"], ["e-5", "skip"]]);
    message(server, 6);
    await shows(page, "m6");
    assert.deepEqual(await texts(page), ["m1", "m2", "m5", "m6"]);
  },

  "a heartbeat moves the position that is resumed from": async (test) => {
    const { page, server } = await played(test, (one) => one.say("subscribed", { position: "e-0" }));
    await says(page, /Live/);
    server.say("position", { position: "e-60" });
    await until("the position is taken", async () => {
      server.close();
      return server.subscriptions.length > 1;
    });
    assert.equal(server.subscriptions[1].since, "e-60");
  },

  "each reason for a gap is said in both languages": async (test) => {
    const reasons = ["slow", "expired", "reset", "lost", "corrupt", "conflated"];
    const { page } = await played(test, (one) => {
      one.say("subscribed", { position: "e-0" });
      reasons.forEach((reason, index) => {
        one.say("gap", { after: `e-${index * 10}`, next: `e-${index * 10 + 8}`, reason, ...(index === 0 ? { missing: 7 } : index === 1 ? { missing: 1 } : {}) });
        message(one, index * 10 + 8);
      });
      one.say("gap", { after: "e-58", next: "e-70", reason: "novel" });
    });
    await marks(page, /novel/);
    const rows = () => page.locator("#messages .mark").allTextContents();
    assert.deepEqual(await rows(), [
      "7 messages missed: slow reader",
      "1 message missed: no longer kept in the history",
      "Messages may be missing: the server began a new log",
      "Messages may be missing: lost in a crash",
      "Messages may be missing: damaged on disk",
      "Messages may be missing: only the newest was asked for",
      "Messages may be missing: novel",
    ]);
    await page.getByRole("button", { name: "Español" }).click();
    await marks(page, /7 mensajes perdidos: lector lento/);
    assert((await rows()).every((row) => /perdido|Pueden faltar/.test(row)));
  },

  "a gap that is told again after a resumption is not shown twice": async (test) => {
    const { page, server } = await played(test, (one) => {
      one.say("subscribed", { position: "e-3" });
      one.say("gap", { after: "e-3", next: "e-8", reason: "expired", missing: 3 + one.subscriptions.length });
    });
    await marks(page, /^4 messages/);
    server.close();
    await marks(page, /^5 messages/);
    assert.equal(await page.locator("#messages .gap").count(), 1);
    assert.equal(server.subscriptions[1].since, "e-3");
  },

  "binary messages are shown by length and in hexadecimal": async (test) => {
    const { page } = await played(test, (one) => {
      one.say("subscribed", { position: "e-0" });
      one.say("message", { position: "e-1", time: TIME, base64: "AP8Q" });
    });
    await shows(page, "binary, 3 bytes 00 ff 10");
  },

  "what a newer server may say is passed over; what cannot be read is asked for again": async (test) => {
    const { page, server } = await played(test, (one, { since }) => {
      one.say("subscribed", { position: since.startsWith("last") ? "e-0" : since });
      if (one.subscriptions.length === 1) message(one, 1);
      else message(one, 2);
    });
    await shows(page, "m1");
    server.say("presence", { count: 3 });
    server.raw("{ broken");
    await shows(page, "m2");
    assert.equal(server.subscriptions[1].since, "e-1");
    assert.deepEqual(await texts(page), ["m1", "m2"]);
  },

  "hopping between channels takes nothing twice, however late the answers come": async (test) => {
    const { page, server } = await played(test, (one, { channel }) => {
      if (one.subscriptions.length === 1) one.say("subscribed", { channel, position: "e-0" });
    });
    await says(page, /Live/);
    message(server, 1);
    await shows(page, "m1");
    await page.evaluate(() => {
      for (const path of ["/channels/other", "/channels/feed", "/channels/other", "/channels/feed"]) {
        history.pushState(null, "", path);
        dispatchEvent(new PopStateEvent("popstate"));
      }
    });
    await until("all are asked for", () => server.subscriptions.length === 5);
    // The first is left while it is live; the second is answered late, and the third counts.
    message(server, 2);
    server.say("unsubscribed");
    server.say("subscribed", { position: "e-1" });
    message(server, 2);
    server.say("unsubscribed");
    server.say("subscribed", { position: "e-1" });
    message(server, 2);
    await shows(page, "m2");
    message(server, 3);
    await shows(page, "m3");
    assert.deepEqual(await texts(page), ["m1", "m2", "m3"]);
  },

  "a subscription that was left before it was answered may never be": async (test) => {
    const { page, server } = await played(test, (one, { channel }) => {
      if (channel === "feed" && one.subscriptions.length > 1) one.say("unsubscribed");
      if (channel === "feed") one.say("subscribed", { position: "e-0" });
    });
    await says(page, /Live/);
    await page.evaluate(() => {
      for (const path of ["/channels/a/b", "/channels/feed"]) {
        history.pushState(null, "", path);
        dispatchEvent(new PopStateEvent("popstate"));
      }
    });
    await until("both are asked for", () => server.subscriptions.length === 3);
    assert.equal(server.subscriptions[1].channel, "a/b");
    message(server, 1);
    await shows(page, "m1");
  },

  "a refusal is shown with its reason": async (test) => {
    const { page } = await played(test, (one) => one.raw('{"error":{"code":"too_many","message":"too many subscriptions"}}'));
    await says(page, /Not available: too many subscriptions/);
  },

  "a new log after a restart clears the end of the old one": async (test) => {
    const { page, server } = await played(test, (one) => {
      one.say("subscribed", { position: "e-1" });
      if (one.subscriptions.length === 1) one.say("end", { position: "e-1", status: "signal 9" });
      else one.say("gap", { after: "e-1", next: "f-1", reason: "reset" });
    });
    await says(page, /Ended: stopped by signal 9/);
    server.close();
    await says(page, /Live/);
    await marks(page, /the server began a new log/);
  },

  "an end that is told again after a resumption is not shown twice": async (test) => {
    const { page, server } = await played(test, (one) => {
      one.say("subscribed", { position: "e-1" });
      one.say("end", { position: "e-1", status: "end of input" });
    });
    await says(page, /Ended: end of input/);
    server.close();
    await marks(page, /Resumed, nothing missed/);
    await says(page, /Ended/);
    assert.equal(await page.locator("#messages .ended").count(), 1);
  },

  "a server that falls silent is given up after a minute": async (test) => {
    const { page } = await played(test, (one) => one.say("subscribed", { position: "e-0" }), {
      before: (one) => one.clock.install(),
    });
    await says(page, /Live/);
    await page.clock.runFor(50_000);
    await says(page, /Live/);
    await page.clock.runFor(20_000);
    await marks(page, /Resumed|Connection resumed/);
  },
};
