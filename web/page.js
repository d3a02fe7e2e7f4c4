// The page: which channel is shown, over which connection, and what is said about both.

import { Announcer } from "./announcer.js";
import { Channel } from "./channel.js";
import { Directory, channelPath } from "./directory.js";
import { byId, write } from "./dom.js";
import { bringEarlier } from "./earlier.js";
import { applyLanguage, rounded, switchLanguage, t } from "./language.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { Plots } from "./plots.js";
import { gapText } from "./row.js";
import { StateLine } from "./state.js";
import { subscribe, unsubscribe } from "./wire.js";

/** The channels whose rows and cursor are kept, the one shown included. */
const CHANNELS_KEPT_MAX = 8;
const RATE_OVER_S = 5;

/** The channels visited, the latest last. @type {Map<string, Channel>} */
const kept = new Map();
/** @type {Channel | null} */
let shown = null;
let frame = 0;
/** The messages received at the end of each of the last seconds. @type {number[]} */
let tallies = [];

const announcer = new Announcer(byId("said", HTMLElement), byId("summary", HTMLElement));
const state = new StateLine(announcer);
const log = new Log(byId("messages", HTMLElement), byId("empty", HTMLElement), byId("back", HTMLButtonElement), schedule);
const plots = new Plots({
  section: byId("plots", HTMLElement),
  grid: byId("plot-grid", HTMLElement),
  note: byId("no-plotter", HTMLElement),
  choice: byId("columns", HTMLDetailsElement),
  boxes: byId("boxes", HTMLElement),
});
const directory = new Directory(byId("channels", HTMLElement), byId("no-channels", HTMLElement));
const pauseButton = byId("pause", HTMLButtonElement);
const announceButton = byId("announce", HTMLButtonElement);

const link = new Link(socketUrl("/"), {
  state() {
    if (link.state.name === "waiting") for (const channel of kept.values()) channel.lost();
    schedule();
  },
  opened() {
    if (shown) link.send(subscribe(shown.name, shown.since()));
    void refresh();
  },
  event(event) {
    if (event.type === "error") console.warn("enchufe:", event.message);
    if (event.type === "pong") return;
    const channel = event.channel === undefined ? shown : kept.get(event.channel);
    channel?.on(event);
    if (channel !== shown) return;
    if (event.type === "message") announcer.heard(1, event.data ?? "");
    if (event.type === "gap") announcer.warn(gapText(event));
    if (event.type === "end") void refresh();
  },
});

/** The list again; without a channel in the address, its default is shown. */
async function refresh() {
  await directory.refresh();
  if (!shown && directory.preferred) show(directory.preferred);
  schedule();
}

/** @param {string} name */
function show(name) {
  if (shown?.name === name) return;
  if (shown?.leave()) link.send(unsubscribe(shown.name));
  const channel = kept.get(name) ?? new Channel(name, { changed: (row) => changed(channel, row) });
  kept.delete(name);
  kept.set(name, channel);
  for (const oldest of kept.keys()) {
    if (kept.size <= CHANNELS_KEPT_MAX) break;
    kept.delete(oldest);
  }
  shown = channel;
  tallies = [];
  announcer.forget();
  if (link.state.name === "open") link.send(subscribe(name, channel.since()));
  log.show(channel);
  plots.show(channel);
  texts();
}

/** What a channel's reader learnt. @param {Channel} channel @param {import("./channel.js").Row | null} row */
function changed(channel, row) {
  if (channel !== shown) return;
  if (row) log.redraw(row);
  if (row?.kind === "resumed" && row.outcome === "whole") announcer.say(t("resumed_whole"));
  schedule();
}

/** One drawing per frame, however many messages come. */
function schedule() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    draw();
  });
}

function draw() {
  const condition = state.draw(link.state, shown);
  // A tab in the background tells what is wrong by its title.
  const title = [condition, shown?.name, "Enchufe"].filter(Boolean).join(" · ");
  if (document.title !== title) document.title = title;
  log.draw();
  if (plots.draw()) schedule();
  directory.draw(shown);
  if (shown) drawTally(shown);
  const pausing = log.paused ? "continue" : "pause";
  write(byId("pause-text", HTMLElement), t(pausing));
  state.icon(byId("pause-icon", HTMLElement), pausing);
}

/** @param {Channel} channel */
function drawTally({ received, earlier, missed: { messages, gaps } }) {
  write(byId("received", HTMLElement), t("received", { n: received + earlier }));
  write(byId("missed", HTMLElement), messages === 0 ? (gaps ? t("missed_unknown") : "")
    : t(gaps ? "missed_least" : "missed", { n: messages }));
}

/** Everything that is said in a language. */
function texts() {
  applyLanguage();
  const language = byId("language", HTMLButtonElement);
  language.lang = document.documentElement.lang === "es" ? "en" : "es";
  write(language, t("language_other"));
  write(byId("columns-limit", HTMLElement), t("columns_limit", { n: 4 }));
  if (shown) {
    const { name } = shown;
    write(byId("name", HTMLElement), name);
    log.region.setAttribute("aria-label", t("messages", { name }));
    const url = new URL(channelPath(name), location.href).href;
    write(byId("in-shell", HTMLElement), `curl -N ${url}`);
    write(byId("in-json", HTMLElement), `curl -H 'Accept: application/json' ${url}`);
    write(byId("in-page", HTMLElement), `new WebSocket("${socketUrl(new URL(url).pathname)}").onmessage = ({ data }) => console.log(data)`);
  }
  schedule();
}

/** @param {string} path */
function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The channel that the address names. */
function addressed() {
  const [, name] = /^\/channels\/(.+)$/.exec(location.pathname) ?? [];
  try {
    return name === undefined ? null : decodeURIComponent(name);
  } catch {
    return name ?? null;
  }
}

async function showEarlier() {
  const channel = shown;
  const button = byId("earlier", HTMLButtonElement);
  if (!channel || button.disabled) return;
  button.disabled = true;
  try {
    const known = channel.received + channel.earlier;
    await bringEarlier(channel);
    if (channel !== shown) return;
    log.prepended();
    log.region.focus({ preventScroll: true });
    announcer.say(t("earlier_shown", { n: channel.received + channel.earlier - known }));
  } catch (error) {
    console.warn("enchufe: no earlier messages", error);
    announcer.say(t("earlier_failed"));
  } finally {
    button.disabled = false;
  }
}

/** @param {string} path */
function navigate(path) {
  history.pushState(null, "", path);
  arrive();
  if (shown) announcer.say(t("showing", { name: shown.name }));
}

function arrive() {
  const name = addressed() ?? directory.preferred;
  if (name) show(name);
  void refresh();
}

function tick() {
  const received = shown?.received ?? 0;
  tallies.push(received);
  if (tallies.length > RATE_OVER_S + 1) tallies.shift();
  // The history comes all at once: the first second tells nothing.
  const seconds = tallies.length - 1;
  const rate = seconds < 2 || shown?.state !== "live" || shown.ended !== null ? 0 : (received - tallies[0]) / seconds;
  write(byId("rate", HTMLElement), rate > 0 ? t("rate", { rate: rounded(rate) }) : "");
}

byId("language", HTMLButtonElement).addEventListener("click", () => {
  switchLanguage();
  texts();
  directory.redraw();
  log.redrawAll();
  plots.rebuild();
});
byId("earlier", HTMLButtonElement).addEventListener("click", () => void showEarlier());
byId("retry", HTMLButtonElement).addEventListener("click", () => link.retry());
pauseButton.addEventListener("click", () => (log.paused ? log.continue() : log.pause()));
announceButton.addEventListener("click", () => {
  announcer.toggle();
  announceButton.setAttribute("aria-pressed", String(announcer.on));
});
document.addEventListener("click", (click) => {
  const anchor = click.target instanceof Element ? click.target.closest("a") : null;
  if (!anchor || anchor.hash || click.button || click.ctrlKey || click.metaKey || click.shiftKey || click.altKey) return;
  click.preventDefault();
  navigate(anchor.pathname);
});
addEventListener("popstate", arrive);
addEventListener("online", () => link.retry());
addEventListener("pageshow", ({ persisted }) => persisted && link.retry());
setInterval(tick, 1_000);
setInterval(() => link.state.name === "waiting" && schedule(), 250);

texts();
arrive();
link.open();
