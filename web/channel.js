// One channel as this page knows it: where its reader is, and the latest it has read.

import { beginning, binary } from "./text.js";
import { Numbers } from "./numbers.js";

/** The rows that are kept and shown. */
export const ROWS_MAX = 1_000;
/** What is dropped at once, so that dropping stays cheap. */
const SLACK = 250;
const SINCE_FIRST = "last:100";
/** A gap is told right behind `subscribed`: after this silence there is none. */
const WHOLE_AFTER_MS = 1_000;

/**
 * @typedef {{kind: "message", position: string, time: Date, text: string, left: number, bytes?: number}} MessageRow
 * @typedef {{kind: "gap", after: string, next: string, reason: string, missing?: number}} GapRow
 * @typedef {{kind: "resumed", outcome: "unknown" | "whole" | "gap"}} ResumedRow
 * @typedef {{kind: "ended", position: string, status: string}} EndedRow
 * @typedef {MessageRow | GapRow | ResumedRow | EndedRow} Row
 * @typedef {{changed(row: Row | null): void}} ChannelListener
 */

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
    return this.position ?? SINCE_FIRST;
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
    const time = new Date(event.time);
    if (event.data === undefined) {
      const { bytes, hex } = binary(event.base64 ?? "");
      this.#push({ kind: "message", position: event.position, time, text: hex, left: 0, bytes });
    } else {
      this.numbers.add(time, event.data);
      this.#push({ kind: "message", position: event.position, time, ...beginning(event.data) });
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
      Object.assign(last, { next, reason, missing });
      this.listener.changed(last);
      return;
    }
    this.#push({ kind: "gap", after, next, reason, missing });
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
    if (this.rows.length > ROWS_MAX + SLACK) this.rows.splice(0, this.rows.length - ROWS_MAX);
    this.listener.changed(null);
  }
}
