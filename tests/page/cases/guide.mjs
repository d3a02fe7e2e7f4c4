// The guide's pages of one's own do what the guide says.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { count, until } from "../harness.mjs";

const GUIDES = {
  "page.md": { gap: /^Missing here: \{.*"reason":"\w+"/, end: /^Ended: \{.*"status":"end of input"/, ended: "Ended" },
  "page.es.md": { gap: /^Aquí falta algo: \{.*"reason":"\w+"/, end: /^Ha terminado: \{.*"status":"end of input"/, ended: "Ha terminado" },
};

const guide = (name) => readFile(new URL(`../../../docs/guide/${name}`, import.meta.url), "utf8");
const block = (text, language) => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(text)[1];
const items = (page) => page.locator("li").allTextContents();
const shows = (page, expected) => until(`the list is ${expected}`, async () => (await items(page)).join() === expected.join());

/** A file of one's own with that text. */
async function own(test, html) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "enchufe-page-"));
  test.atEnd(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "mine.html");
  await writeFile(file, html);
  return ["--page", file];
}

export const cases = Object.fromEntries(Object.entries(GUIDES).flatMap(([name, { gap, end, ended }]) => [
  [`the EventSource of ${name} resumes, and shows a gap and the end`, async (test) => {
    const options = await own(test, block(await guide(name), "html"));
    const feed = await test.feed({ options, history: 3 });
    const way = await test.proxy(feed.port);
    feed.say("1", "2");
    const page = await test.page(way.url);
    await shows(page, ["1", "2"]);
    way.cut();
    feed.say(...count(3, 8));
    way.mend();
    await until("it resumed", async () => (await items(page)).includes("8"));
    const [one, two, missing, ...rest] = await items(page);
    assert.deepEqual([one, two, ...rest], ["1", "2", "6", "7", "8"]);
    assert.match(missing, gap);
    feed.child.stdin.end("9\n");
    await until("the end is told", async () => end.test((await items(page)).at(-1)));
    assert.equal((await items(page)).at(-2), "9");
  }],

  [`the WebSocket of ${name} goes on with another server, and shows the end`, async (test) => {
    const text = await guide(name);
    const html = block(text, "html").replace(/ {2}const (feed|canal) = .*(?=<\/script>)/s, () => block(text, "js"));
    const options = await own(test, html);
    const first = await test.feed({ options });
    first.say("1", "2");
    const page = await test.page(first.url);
    await shows(page, ["1", "2"]);
    await first.kill("SIGTERM");
    const second = await test.feed({ options, port: first.port });
    second.say("3");
    await shows(page, ["1", "2", "3"]);
    second.child.stdin.end("4\n");
    await shows(page, ["1", "2", "3", "4", ended]);
  }],
]));
