// One channel as this page knows it: where its reader is, and the latest it has read.

import { beginning, binary } from "./text.js";
import { Numbers } from "./numbers.js";

/** The messages that are kept and shown. */
export const MESSAGES_MAX = 1_000;
/** The rows between them that are, at most. */
const MARKS_MAX = 250;
/** What is dropped at once, so that dropping stays cheap. */
const SLACK = 250;
/** The messages that the first subscription asks for. */
export const FIRST_LEN = 100;
/** A gap is told right behind `subscribed`: after this silence there is none. */
const WHOLE_AFTER_MS = 1_000;

/**
 * @typedef {{kind: "message", position: string, time: Date, text: string, left: number, bytes?: number}} MessageRow
 * @typedef {{kind: "gap", after: string, next: string, reason: string, missing?: number}} GapRow
 * @typedef {{kind: "resumed", outcome: "unknown" | "whole" | "gap"}} ResumedRow
 * @typedef {{kind: "ended", position: string, status: string}} EndedRow
 * @typedef {MessageRow | GapRow | ResumedRow | EndedRow} Row
 * @typedef {{changed(row: Row | null): void}} ChannelListener
 * @typedef {{position: string, time: string, data?: string, base64?: string}} Item
 */

/** Where the latest messages begin, with what stands right before them. @param {Row[]} rows */
export function firstShown(rows) {
  const floor = Math.max(0, rows.length - MESSAGES_MAX - MARKS_MAX);
  let messages = 0;
  for (let index = rows.length; index > floor; index -= 1) {
    if (rows[index - 1].kind !== "message") continue;
    messages += 1;
    if (messages > MESSAGES_MAX) return index;
  }
  return floor;
}

export class Channel {
  /** The position after which this reader goes on; null before its first. @type {string | null} */
  position = null;
  /** @type {"idle" | "subscribing" | "live" | "refused"} */
  state = "idle";
  /** How the source ended. @type {string | null} */
  ended = null;
  /** Why the server refused. @type {{code: string, message: string} | null} */
  refusal = null;
  /** The latest rows, oldest first. @type {Row[]} */
  rows = [];
  /** Rows ever added; the last of `rows` is number `total - 1`. */
  total = 0;
  /** Messages ever received. */
  received = 0;
  /** Messages of the history that were asked for later. */
  earlier = 0;
  /** What is before the first row: perhaps more, or nothing, or what this list has no room for. @type {"more" | "nothing" | "dropped"} */
  before = "more";
  /** What gaps said is missing: so many messages, and how many gaps did not know. */
  missed = { messages: 0, gaps: 0 };
  numbers = new Numbers();
  /** Unsubscriptions not answered: until they are, what comes belongs to an earlier subscription. */
  #leaving = 0;
  /** The connection was lost, and the next `subscribed` resumes it. */
  #resuming = false;
  /** The latest resumption while nothing came after it. @type {ResumedRow | null} */
  #resumption = null;

  /** @param {string} name @param {ChannelListener} listener */
  constructor(name, listener) {
    this.name = name;
    this.listener = listener;
  }

  /** From where to read, now that a subscription is asked for. */
  since() {
    this.state = "subscribing";
    this.refusal = null;
    return this.position ?? `last:${FIRST_LEN}`;
  }

  /** The connection is gone: what follows is a resumption. */
  lost() {
    this.#leaving = 0;
    if (this.state === "live" || this.state === "subscribing") {
      this.#resuming ||= this.state === "live";
      this.state = "idle";
      this.#resumption = null;
    }
  }

  /** The page looks at another channel; true if the server has to be told. */
  leave() {
    const subscribed = this.state === "live" || this.state === "subscribing";
    this.#leaving += Number(subscribed);
    this.state = "idle";
    this.#resuming = false;
    this.#resumption = null;
    return subscribed;
  }

  /** @param {import("./wire.js").Event} event */
  on(event) {
    if (event.type === "unsubscribed" || (event.type === "error" && event.code === "not_subscribed")) {
      this.#leaving = Math.max(0, this.#leaving - 1);
      return;
    }
    // What an earlier subscription still brings comes again with the next.
    if (this.#leaving > 0) return;
    if (this.state === "live") this.#read(event);
    else if (this.state === "subscribing") {
      if (event.type === "subscribed") this.#subscribed(event.position);
      if (event.type === "error") this.#refused(event);
    }
  }

  /** @param {import("./wire.js").Event} event */
  #read(event) {
    if (event.type === "message") this.#message(event);
    else if (event.type === "gap") this.#gap(event);
    else if (event.type === "end") this.#end(event);
    else if (event.type === "position") {
      this.position = event.position;
      this.#settle("whole");
    }
  }

  /** @param {string} position */
  #subscribed(position) {
    this.state = "live";
    this.position = position;
    if (this.#resuming) {
      this.#resuming = false;
      /** @type {ResumedRow} */
      const row = { kind: "resumed", outcome: "unknown" };
      this.#resumption = row;
      this.#push(row);
      setTimeout(() => {
        if (this.#resumption === row && row.outcome === "unknown") this.#outcome(row, "whole");
      }, WHOLE_AFTER_MS);
    }
    this.listener.changed(null);
  }

  /** @param {{code: string, message: string}} refusal */
  #refused({ code, message }) {
    this.state = "refused";
    this.refusal = { code, message };
    this.listener.changed(null);
  }

  /** @param {import("./wire.js").Event & {type: "message"}} event */
  #message(event) {
    this.#settle("whole");
    this.position = event.position;
    this.received += 1;
    this.ended = null;
    const row = messageRow(event);
    if (row.bytes === undefined) this.numbers.add(row.time, event.data ?? "");
    this.#push(row);
  }

  /** What the history has right before the first row: as much of it as there is room for. @param {Item[]} items oldest first */
  prepend(items) {
    const shown = this.rows.filter((row) => row.kind === "message").length;
    const fit = items.slice(items.length - Math.max(0, Math.min(items.length, MESSAGES_MAX - shown)));
    this.before = fit.length < items.length ? "dropped" : "nothing";
    this.earlier += fit.length;
    this.rows.unshift(...fit.map(messageRow));
    this.#recount();
    this.listener.changed(null);
  }

  /** The numbers again, from the rows: some came before those that are known. */
  #recount() {
    this.numbers = new Numbers();
    for (const row of this.rows) {
      if (row.kind === "message" && row.bytes === undefined) this.numbers.add(row.time, row.text);
      if (row.kind === "gap") this.numbers.gap();
    }
  }

  /** @param {import("./wire.js").Event & {type: "gap"}} event */
  #gap({ after, next, reason, missing }) {
    this.#settle("gap");
    this.numbers.gap();
    if (reason === "reset") this.ended = null;
    const last = this.rows.findLast((row) => row.kind !== "resumed");
    if (last?.kind === "gap" && last.after === after) {
      // Told again after a resumption: the same gap, perhaps grown.
      this.#miss(last.missing, -1);
      this.#miss(missing, 1);
      Object.assign(last, { next, reason, missing });
      this.listener.changed(last);
      return;
    }
    this.#miss(missing, 1);
    this.#push({ kind: "gap", after, next, reason, missing });
  }

  /** @param {number | undefined} missing @param {1 | -1} sign */
  #miss(missing, sign) {
    if (missing === undefined) this.missed.gaps += sign;
    else this.missed.messages += sign * missing;
  }

  /** @param {import("./wire.js").Event & {type: "end"}} event */
  #end({ position, status }) {
    this.#settle("whole");
    this.position = position;
    const known = this.rows.findLast((row) => row.kind === "ended");
    this.ended = status;
    if (known?.position === position) this.listener.changed(null);
    else this.#push({ kind: "ended", position, status });
  }

  /** The first thing after a resumption tells how it went. @param {"whole" | "gap"} outcome */
  #settle(outcome) {
    const row = this.#resumption;
    this.#resumption = null;
    if (row && row.outcome !== outcome) this.#outcome(row, outcome);
  }

  /** @param {ResumedRow} row @param {"whole" | "gap"} outcome */
  #outcome(row, outcome) {
    row.outcome = outcome;
    this.listener.changed(row);
  }

  /** @param {Row} row */
  #push(row) {
    this.rows.push(row);
    this.total += 1;
    if (this.rows.length > MESSAGES_MAX + MARKS_MAX + SLACK) {
      this.rows.splice(0, firstShown(this.rows));
      this.before = "dropped";
    }
    this.listener.changed(null);
  }
}

/** @param {Item} item @returns {MessageRow} */
function messageRow({ position, time, data, base64 }) {
  /** @type {Pick<MessageRow, "kind" | "position" | "time">} */
  const row = { kind: "message", position, time: new Date(time) };
  if (data !== undefined) return { ...row, ...beginning(data) };
  const { bytes, hex } = binary(base64 ?? "");
  return { ...row, text: hex, left: 0, bytes };
}
