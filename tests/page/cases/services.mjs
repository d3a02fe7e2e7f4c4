// The small page of a service, and the tutorial's own page.

import assert from "node:assert/strict";
import { says, shows, texts, until } from "../harness.mjs";

export const cases = {
  "a browser that visits the greet service can send a name and is greeted": async (test) => {
    const demo = await test.demo();
    const page = await test.page(demo.greet, { locale: "es-ES" });
    await says(page, /En directo/);
    await page.getByLabel("Tu nombre").fill("Ana");
    await page.keyboard.press("Enter");
    await shows(page, "Hola Ana!");
    assert.deepEqual(await texts(page), ["Ana", "Hola Ana!"]);
  },

  "what is sent to the echo service comes back, and a name cannot forge a line": async (test) => {
    const echo = await test.service("echo");
    const page = await test.page(echo.url);
    await says(page, /Live/);
    await page.getByRole("textbox", { name: "Message" }).fill("x\u202ey");
    await page.getByRole("button", { name: "Send" }).click();
    await until("it came back", async () => (await texts(page)).length === 2);
    assert.deepEqual(await texts(page), ["x\\u202ey", "x\\u202ey"]);
  },

  "the small page says when its service is gone, and connects again": async (test) => {
    const greet = await test.service("greet");
    const way = await test.proxy(greet.port);
    const page = await test.page(way.url);
    await says(page, /Live/);
    way.cut();
    await says(page, /Connection closed \(1006\)/);
    way.mend();
    await page.getByRole("button", { name: "Connect again" }).click();
    await says(page, /Live/);
  },

  "a service that only sends has no box, and shows what it sends": async (test) => {
    const random = await test.service("random");
    const page = await test.page(random.url, { locale: "es-ES" });
    await until("numbers come", async () => (await texts(page)).length >= 2);
    assert((await texts(page)).every((text) => /^\d$/.test(text)));
    assert.equal(await page.locator("#form").isVisible(), false);
    assert.equal(await page.locator("h1").innerText(), "Números aleatorios");
    await test.picture("random-es", page);
  },

  "the tutorial's own page, opened from a file, shows the clock": async (test) => {
    const demo = await test.demo();
    // The page asks for port 5678, which may be taken here: this browser finds the demo behind it.
    const browser = await test.browser(`--host-resolver-rules=MAP 127.0.0.1:5678 127.0.0.1:${demo.port}`);
    const page = await test.page(new URL("../fixtures/tutorial.html", import.meta.url).href, { browser });
    const items = page.locator("li");
    await until("two times came", async () => (await items.count()) >= 2);
    for (const text of await items.allTextContents()) {
      assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    }
  },
};
