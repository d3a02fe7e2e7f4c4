// What a case needs: servers on free ports, pages in a browser, and patience with a limit.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

const UNTIL_MAX_MS = 15_000;
const STOP_MAX_MS = 3_000;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** Waits until `check` gives something true, and gives that. */
export async function until(what, check, max_ms = UNTIL_MAX_MS) {
  const end_ms = performance.now() + max_ms;
  let last;
  while (performance.now() < end_ms) {
    try {
      last = await check();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await pause(50);
  }
  throw new Error(`waited ${max_ms / 1000} s in vain until ${what}; last: ${last}`);
}

/** A port such that it and the next ones are free. */
export async function freePorts(count = 1) {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error("no free ports");
}

const isFree = (port) => new Promise((resolve) => {
  const server = net.createServer();
  server.once("error", () => resolve(false));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
});

export class Harness {
  static async start() {
    assert(process.env.ENCHUFE_BIN, "ENCHUFE_BIN must name the binary");
    const harness = new Harness();
    harness.binary = path.resolve(process.env.ENCHUFE_BIN);
    harness.pictures = process.env.ENCHUFE_SCREENSHOTS;
    if (harness.pictures) await mkdir(harness.pictures, { recursive: true });
    harness.axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    harness.browser = await launch();
    return harness;
  }

  begin() {
    return new Case(this);
  }

  async stop() {
    await this.browser.close();
  }
}

const launch = (extra = []) => chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...extra] });

/** One case: everything it starts ends with it. */
class Case {
  #ends = [];
  #complaints = [];
  #pages = [];

  constructor(harness) {
    this.harness = harness;
  }

  /** What is done when the case is over. */
  atEnd(end) {
    this.#ends.push(end);
  }

  /** `enchufe` with these arguments. Lines given to `say` reach its standard input. */
  run(...args) {
    const child = spawn(this.harness.binary, args, { stdio: ["pipe", "ignore", "pipe"] });
    child.stderr.on("data", (data) => (child.said = `${child.said ?? ""}${data}`.slice(-4_000)));
    child.stdin.on("error", () => {});
    // Not "close": a program that outlives the server may hold its standard error open.
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const server = {
      say: (...lines) => child.stdin.write(lines.map((line) => `${line}\n`).join("")),
      kill: async (signal = "SIGKILL") => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill(signal);
        await ended;
      },
      child,
    };
    // Asked to stop, it stops its program too.
    this.#ends.push(async () => {
      const alarm = setTimeout(() => child.kill("SIGKILL"), STOP_MAX_MS);
      await server.kill("SIGTERM");
      clearTimeout(alarm);
    });
    return server;
  }

  /** A feed with its page, ready; its lines come from `say`, or from a program. */
  async feed({ channel = "feed", history = 1_000, port, exec, options = [] } = {}) {
    port ??= await freePorts();
    const server = this.run("feed", "--listen", `http://127.0.0.1:${port}`, "--channel", channel,
      "--history", String(history), ...options, ...(exec ? ["--exec", "--", ...exec] : ["-"]));
    const url = `http://127.0.0.1:${port}`;
    await ready(url, server);
    return { ...server, port, url, channel, at: `${url}/channels/${channel}` };
  }

  /** The whole tutorial. */
  async demo() {
    const port = await freePorts(4);
    const server = this.run("demo", "--port-base", String(port));
    const url = `http://127.0.0.1:${port}`;
    await ready(url, server);
    return { ...server, port, url, greet: `http://127.0.0.1:${port + 1}` };
  }

  /** One service at a WebSocket address, which a browser visits by HTTP. */
  async service(name) {
    const server = this.run("serve", name, "ws://127.0.0.1:0", "--quiet");
    const [, port] = await until(`${name} listens`, () => /ws:\/\/127\.0\.0\.1:(\d+)/.exec(server.child.said ?? ""));
    return { ...server, port: Number(port), url: `http://127.0.0.1:${port}` };
  }

  /** A way to a server that can be cut and mended. */
  async proxy(port) {
    const sockets = new Set();
    let open = true;
    const server = net.createServer((near) => {
      if (!open) {
        near.destroy();
        return;
      }
      const far = net.connect(port, "127.0.0.1");
      for (const [one, other] of [[near, far], [far, near]]) {
        sockets.add(one);
        one.pipe(other);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
      }
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const cut = () => {
      open = false;
      for (const socket of sockets) socket.destroy();
    };
    this.#ends.push(() => {
      cut();
      server.close();
    });
    return { url: `http://127.0.0.1:${server.address().port}`, cut, mend: () => (open = true) };
  }

  /** A page at that address; what it complains about fails the case. */
  async page(url, options = {}) {
    const { browser = this.harness.browser, before, ...context } = options;
    const within = await browser.newContext({ locale: "en-GB", viewport: { width: 1200, height: 760 }, ...context });
    this.#ends.push(() => within.close());
    const page = await within.newPage();
    this.#pages.push(page);
    page.on("pageerror", (error) => this.#complaints.push(`error in the page: ${error.message}`));
    page.on("console", (message) => {
      if (/Content Security Policy|Trusted/i.test(message.text())) this.#complaints.push(message.text());
    });
    const host = url.startsWith("http") ? new URL(url).host : null;
    const foreign = (address) => {
      if (host && !address.startsWith("data:") && new URL(address).host !== host) {
        this.#complaints.push(`request to another host: ${address}`);
      }
    };
    page.on("request", (request) => foreign(request.url()));
    page.on("websocket", (socket) => foreign(socket.url()));
    await before?.(page);
    await page.goto(url);
    return page;
  }

  /** Another browser, for flags of its own. */
  async browser(...flags) {
    const browser = await launch(flags);
    this.#ends.push(() => browser.close());
    return browser;
  }

  /** What axe finds, in words. The policy is set aside for axe's sake: open the page with `bypassCSP`. */
  async axe(page) {
    await page.evaluate(this.harness.axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target).join(", ")})`);
  }

  async picture(name, page = this.#pages.at(-1)) {
    if (!this.harness.pictures || !page || page.isClosed()) return;
    await page.screenshot({ path: path.join(this.harness.pictures, `${name}.png`) });
  }

  /** Nothing was complained about on the way. */
  async clean() {
    assert.deepEqual(this.#complaints, []);
  }

  async end() {
    for (const end of this.#ends.reverse()) await end();
  }
}

async function ready(url, { child }) {
  await until(`${url} answers`, async () => {
    if (child.exitCode !== null) return true;
    const answer = await fetch(`${url}/channels`, { headers: { accept: "application/json" } });
    return answer.ok;
  });
  if (child.exitCode !== null) throw new Error(`enchufe ended: ${child.said}`);
}

// What the cases look for in the page.

/** The texts of the messages in the list. */
export const texts = (page) => page.locator("#messages .row .text").allTextContents();

/** Waits for a message with exactly that text. */
export const shows = (page, text) =>
  until(`the list shows ${text}`, async () => (await texts(page)).includes(text));

/** Waits for a row between messages whose text matches. */
export const marks = (page, pattern) =>
  until(`a row says ${pattern}`, async () =>
    (await page.locator("#messages .mark").allTextContents()).some((text) => pattern.test(text)));

/** Waits for the line that says how the connection is. */
export const says = (page, pattern, max_ms) =>
  until(`the state says ${pattern}`, async () => pattern.test(await page.locator("#state").innerText()), max_ms);

/** 1, 2, … as texts. */
export const count = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
