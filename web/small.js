// The page of one service: its messages, and a box to send for those that answer.

import { byId, icon, make, write } from "./dom.js";
import { applyLanguage, switchLanguage, t, timeOfDay } from "./language.js";
import { appendText, beginning } from "./text.js";

/** The rows that are kept and shown. */
const ROWS_MAX = 500;
/** What is not drawn yet. */
const WAITING_MAX = 500;

/** @typedef {{at: Date, direction: "got" | "sent", text: string, left: number}} Line */
/** @typedef {"connecting" | "live" | "gone"} Mood */

const service = document.documentElement.dataset.service ?? "";
/** @type {Partial<Record<string, import("./catalogue.js").Key>>} */
const TITLES = { echo: "service_echo", greet: "service_greet", clock: "service_clock", random: "service_random" };
const answers = service !== "clock" && service !== "random";

const list = byId("messages", HTMLElement);
const form = byId("form", HTMLFormElement);
const box = byId("box", HTMLInputElement);
const again = byId("again", HTMLButtonElement);

/** @type {WebSocket} */
let socket;
/** @type {Mood} */
let mood = "connecting";
let code = 0;
/** @type {Line[]} */
let waiting = [];
let frame = 0;

function connect() {
  const url = new URL(location.pathname + location.search, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  become("connecting");
  socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    become("live");
    if (answers) box.focus();
  };
  socket.onmessage = ({ data }) => add("got", typeof data === "string" ? data : t("binary", { n: data.byteLength }));
  socket.onclose = (closed) => {
    code = closed.code;
    become("gone");
  };
}

/** @param {Line["direction"]} direction @param {string} text */
function add(direction, text) {
  waiting.push({ at: new Date(), direction, ...beginning(text) });
  if (waiting.length > WAITING_MAX) waiting.shift();
  frame ||= requestAnimationFrame(draw);
}

function draw() {
  frame = 0;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 8;
  list.append(...waiting.map(rowElement));
  waiting = [];
  while (list.childElementCount > ROWS_MAX) list.firstElementChild?.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

/** @param {Line} line */
function rowElement({ at, direction, text, left }) {
  const row = make("div", `row ${direction}`);
  const time = document.createElement("time");
  time.className = "time";
  time.dateTime = at.toISOString();
  time.textContent = timeOfDay(at);
  const content = make("div", "text");
  content.dir = "auto";
  appendText(content, text);
  if (left) content.append(make("span", "aside", t("cut", { n: left })));
  row.append(time);
  if (answers) {
    const arrow = icon(direction);
    arrow.removeAttribute("aria-hidden");
    arrow.setAttribute("role", "img");
    arrow.setAttribute("aria-label", t(direction));
    row.append(arrow);
  }
  row.append(content);
  return row;
}

/** @param {Mood} now */
function become(now) {
  mood = now;
  again.hidden = mood !== "gone";
  for (const control of form.querySelectorAll("button")) control.disabled = mood !== "live";
  const text = mood === "gone" ? t("small_closed", { code: String(code) }) : t(`state_${mood}`);
  byId("state", HTMLElement).dataset.mood = mood;
  byId("state-icon", HTMLElement).replaceChildren(icon(mood));
  write(byId("state-text", HTMLElement), text);
  write(byId("said", HTMLElement), text);
}

function texts() {
  applyLanguage();
  const language = byId("language", HTMLButtonElement);
  language.lang = document.documentElement.lang === "es" ? "en" : "es";
  write(language, t("language_other"));
  const title = t(TITLES[service] ?? "service_other");
  document.title = `${title} · Enchufe`;
  write(byId("name", HTMLElement), title);
  write(byId("box-label", HTMLElement), t(service === "greet" ? "box_greet" : "box_echo"));
  list.setAttribute("aria-label", t("service_other"));
}

form.hidden = !answers;
// Answers to what one sends are worth hearing; a clock is not.
list.setAttribute("aria-live", answers ? "polite" : "off");
form.addEventListener("submit", (submit) => {
  submit.preventDefault();
  if (mood !== "live") return;
  socket.send(box.value);
  add("sent", box.value);
  box.value = "";
});
again.addEventListener("click", () => {
  connect();
  list.focus();
});
byId("language", HTMLButtonElement).addEventListener("click", () => {
  switchLanguage();
  texts();
  become(mood);
});

texts();
connect();
