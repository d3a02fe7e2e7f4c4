// Spanish and English: by the browser, or by choice.

import assert from "node:assert/strict";
import { says, shows } from "../harness.mjs";

const language = (page) => page.evaluate(() => document.documentElement.lang);

export const cases = {
  "the page speaks the first language of the browser that it knows": async (test) => {
    const feed = await test.feed();
    for (const [locale, lang, live] of [["es-MX", "es", /^En directo$/], ["en-US", "en", /^Live$/], ["fr-FR", "en", /^Live$/]]) {
      const page = await test.page(feed.url, { locale });
      await says(page, live);
      assert.equal(await language(page), lang);
    }
  },

  "a switch changes everything that is said, and the choice is kept": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    feed.say("1", "2.5", "2");
    await shows(page, "2");
    await page.getByRole("button", { name: "Español" }).click();
    await says(page, /^En directo$/);
    assert.equal(await language(page), "es");
    assert.deepEqual(await page.locator("figure dt").allTextContents(), ["Último", "Mínimo", "Máximo", "Media", "Cantidad"]);
    assert.deepEqual(await page.locator("figure .maximum dd").allTextContents(), ["2,5"]);
    assert.equal(await page.locator("#messages").getAttribute("aria-label"), "Mensajes de feed");
    await page.reload();
    await says(page, /^En directo$/);
    await page.getByRole("button", { name: "English" }).click();
    await says(page, /^Live$/);
  },

  "a browser that forbids storage can still switch": async (test) => {
    const feed = await test.feed();
    const page = await test.page(feed.url);
    await page.addInitScript(() => Object.defineProperty(globalThis, "localStorage", { get() { throw new Error("forbidden"); } }));
    await page.reload();
    await says(page, /^Live$/);
    await page.getByRole("button", { name: "Español" }).click();
    await says(page, /^En directo$/);
  },
};
