// One row of a channel as an element.

import { appendText } from "./text.js";
import { icon, make } from "./dom.js";
import { t, timeOfDay } from "./language.js";

/** Longer ones are no line of a table. */
const LINE_MAX = 256;

/** @param {import("./channel.js").Row} row */
export function rowElement(row) {
  if (row.kind === "message") return messageElement(row);
  const element = make("div", `row mark ${row.kind}`);
  const [name, text] = mark(row);
  element.classList.toggle("bad", name === "gone");
  element.append(icon(name), make("span", "", text));
  if (row.kind === "gap") element.title = t("gap_title", { after: row.after, next: row.next });
  return element;
}

/** @param {import("./channel.js").MessageRow} row */
function messageElement(row) {
  const element = make("div", "row");
  const time = document.createElement("time");
  time.className = "time";
  if (Number.isNaN(row.time.getTime())) {
    time.title = row.position;
  } else {
    time.dateTime = row.time.toISOString();
    time.textContent = timeOfDay(row.time);
    time.title = t("position_title", { time: time.dateTime, position: row.position });
  }
  const text = make("div", row.text.length > LINE_MAX ? "text long" : "text");
  text.dir = "auto";
  if (row.bytes !== undefined) text.append(make("span", "aside", t("binary", { n: row.bytes })), " ");
  appendText(text, row.text);
  if (row.left) text.append(make("span", "aside", t("cut", { n: row.left })));
  element.append(time, text);
  return element;
}

/** The icon and the text of a row between messages. @param {Exclude<import("./channel.js").Row, {kind: "message"}>} row */
function mark(row) {
  if (row.kind === "gap") return ["gap", gapText(row)];
  if (row.kind === "ended") return [endedWell(row.status) ? "ended" : "gone", t("ended", { status: statusText(row.status) })];
  return row.outcome === "whole" ? ["resumed", t("resumed_whole")] : ["resumed", t("resumed")];
}

/** @param {{reason: string, missing?: number}} gap */
export function gapText({ reason, missing }) {
  const key = `reason_${reason}`;
  const known = ["slow", "expired", "reset", "lost", "corrupt", "conflated"].includes(reason);
  const why = known ? t(/** @type {import("./catalogue.js").Key} */ (key)) : reason;
  return missing === undefined ? t("gap_unknown", { reason: why }) : t("gap_known", { n: missing, reason: why });
}

/** A source's status in words; one that this page does not know as it came. @param {string} status */
export function statusText(status) {
  if (status === "end of input") return t("exit_input");
  const [, kind, value] = /^(exit|signal) (\w+)$/.exec(status) ?? [];
  if (kind === "exit") return value === "0" ? t("exit_ok") : t("exit_status", { status: value });
  return kind === "signal" ? t("exit_signal", { status: value }) : status;
}

/** Whether the source ended as it should. @param {string} status */
export const endedWell = (status) => ["end of input", "exit 0", "end"].includes(status);
