// Records the frames of docs/picture.gif into the folder given: see `make`.

import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const { chromium } = createRequire(new URL("../../tests/page/package.json", import.meta.url))("playwright-core");

const COMMAND = "vmstat 1 | enchufe feed";
const URL_SHOWN = "http://127.0.0.1:5678/";
const EARLY = { viewport: { width: 640, height: 460 }, locale: "en-GB", colorScheme: "light" };
const LATE = { viewport: { width: 300, height: 626 }, locale: "es-ES", colorScheme: "dark" };
/** The seconds of the feed that are shown before the second browser opens, and after. */
const ALONE = 9;
const TOGETHER = 7;
/** What a frame takes, in hundredths of a second: the feed is shown twice as fast as it ran. */
const SECOND = 45;
const FIRST_LOOK = 100;
const LAST = 150;

const folder = process.argv[2];
const frames = [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const stage = await (await browser.newContext({ viewport: { width: 970, height: 672 } })).newPage();
await stage.setContent(await readFile(new URL("stage.html", import.meta.url), "utf8"));

for (const typed of ["", "vmstat", "vmstat 1 |", COMMAND]) {
  await show({ typed });
  await frame(typed === COMMAND ? 50 : 30);
}
const terminal = run(COMMAND);
const output = await terminal.printed();
await show({ typed: COMMAND, output });
await frame(60);

const early = await open(EARLY);
for (let second = 0; second < ALONE; second += 1) {
  await next(early);
  await show({ early: await early.screenshot() });
  await frame(second ? SECOND : FIRST_LOOK);
}
const late = await open(LATE);
for (let second = 0; second < TOGETHER; second += 1) {
  await next(early, late);
  await show({ early: await early.screenshot(), late: await late.screenshot() });
  await frame(second === 0 ? FIRST_LOOK : second === TOGETHER - 1 ? LAST : SECOND);
}

await browser.close();
terminal.end();
await writeFile(path.join(folder, "frames.txt"), frames.map((line) => `${line}\n`).join(""));

/** The command in a terminal of its own, and what it prints there. */
function run(command) {
  // A shell as one would have it, in the language of the picture.
  const child = spawn("script", ["-qfec", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"], detached: true, env: { ...process.env, ENCHUFE_LANG: "en" },
  });
  let text = "";
  child.stdout.on("data", (data) => (text += data));
  return {
    /** All that it says at first: it falls silent when that is said. */
    printed: async () => {
      for (let tries = 0, before = ""; tries < 20; tries += 1, before = text) {
        await pause(500);
        if (text.includes(new URL(URL_SHOWN).host) && text === before) return text.replaceAll("\r", "").trimEnd();
      }
      throw new Error(`'${command}' printed: ${text}`);
    },
    end: () => process.kill(-child.pid, "SIGTERM"),
  };
}

async function open(options) {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(URL_SHOWN);
  return page;
}

/** Waits for another message; when all pages have the same, they have had time to draw it. */
async function next(...pages) {
  const counts = () => Promise.all(pages.map(async (page) => parseInt(await page.locator("#received").innerText()) || 0));
  const [before] = await counts();
  for (;;) {
    const [count, ...others] = await counts();
    if (count > before && others.every((other) => other === count)) break;
    await pause(30);
  }
  await pause(250);
}

/** Puts on the stage what is given, and leaves the rest as it is. */
async function show({ typed, output, early, late }) {
  if (typed !== undefined) await stage.locator("#typed").evaluate((at, text) => (at.textContent = text), typed);
  if (output !== undefined) await stage.locator("#output").evaluate((at, text) => (at.textContent = text), output);
  for (const [id, picture] of Object.entries({ early, late })) {
    if (!picture) continue;
    await stage.locator(`#${id} img`).evaluate(async (image, data) => {
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      image.closest("section").hidden = false;
    }, picture.toString("base64"));
  }
}

async function frame(centiseconds) {
  const file = `${String(frames.length).padStart(3, "0")}.png`;
  await stage.screenshot({ path: path.join(folder, file) });
  frames.push(`${file} ${centiseconds}`);
}
