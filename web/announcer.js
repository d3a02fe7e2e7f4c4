// What screen readers hear: the state when it changes, and, when asked for, a summary of the messages.

import { write } from "./dom.js";
import { t } from "./language.js";
import { beginning, plain } from "./text.js";

const SUMMARY_PERIOD_MS = 5_000;
const SPOKEN_CHARACTERS_MAX = 120;

export class Announcer {
  #timer = 0;
  #count = 0;
  #last = "";
  #warned_ms = -SUMMARY_PERIOD_MS;

  /** @param {HTMLElement} states a polite status region @param {HTMLElement} summaries another */
  constructor(states, summaries) {
    this.states = states;
    this.summaries = summaries;
  }

  get on() {
    return this.#timer !== 0;
  }

  /** @param {string} text */
  say(text) {
    write(this.states, text);
  }

  /** Something to know that may come often: at most one in the period is spoken. @param {string} text */
  warn(text) {
    const now_ms = performance.now();
    if (now_ms - this.#warned_ms < SUMMARY_PERIOD_MS) return;
    this.#warned_ms = now_ms;
    this.say(text);
  }

  toggle() {
    if (this.on) {
      clearTimeout(this.#timer);
      this.#timer = 0;
    } else {
      this.#wait();
    }
    this.forget();
    this.say(t(this.on ? "announce_on" : "announce_off"));
  }

  /** Another channel is shown. */
  forget() {
    this.#count = 0;
    this.summaries.textContent = "";
  }

  /** @param {number} count how many messages came @param {string} last the last of them */
  heard(count, last) {
    if (!this.on) return;
    this.#count += count;
    this.#last = last;
  }

  /** The period begins with each summary: an interval would make up for a late one by an early one. */
  #wait() {
    this.#timer = setTimeout(() => {
      this.#summarize();
      this.#wait();
    }, SUMMARY_PERIOD_MS);
  }

  #summarize() {
    if (this.#count === 0) return;
    const { text, left } = beginning(this.#last, SPOKEN_CHARACTERS_MAX);
    this.summaries.textContent = t("summary", { n: this.#count, last: plain(text) + (left ? "…" : "") });
    this.#count = 0;
  }
}
