// The list of messages: follows the newest, and stands still while its reader looks back.

import { FIRST_LEN, MESSAGES_MAX, firstShown } from "./channel.js";
import { byId, write } from "./dom.js";
import { t } from "./language.js";
import { rowElement } from "./row.js";

/** The distance from the end, in CSS pixels, that still counts as being there. */
const END_TOLERANCE_PX = 8;
/** How long a browser may go on with a smooth scroll that began before the list was told to follow; a new one counts at once. */
const SMOOTH_SCROLL_MS = 500;

export class Log {
  /** @type {import("./channel.js").Channel | null} */
  #channel = null;
  /** The rows in the list, and their elements. @type {Map<import("./channel.js").Row, HTMLElement>} */
  #shown = new Map();
  /** How many of the channel's rows, ever, have come into the list. */
  #upto = 0;
  /** Standing still: since how many messages, and whether scrolling did it. @type {{received: number, scrolled: boolean} | null} */
  #paused = null;
  #top = 0;
  #continued_ms = -SMOOTH_SCROLL_MS;
  /** What stands before the first row. */
  #before = byId("before", HTMLElement);
  #beforeText = byId("before-text", HTMLElement);
  #earlier = byId("earlier", HTMLButtonElement);

  /** @param {HTMLElement} region @param {HTMLElement} empty @param {HTMLButtonElement} back @param {() => void} changed */
  constructor(region, empty, back, changed) {
    this.region = region;
    this.empty = empty;
    this.back = back;
    this.changed = changed;
    region.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    for (const type of ["wheel", "keydown", "pointerdown", "touchmove"]) {
      region.addEventListener(type, () => (this.#continued_ms = -SMOOTH_SCROLL_MS), { passive: true });
    }
    region.addEventListener("keydown", (press) => {
      if (press.key !== "End" || !this.paused) return;
      press.preventDefault();
      this.continue();
    });
    back.addEventListener("click", () => {
      this.continue();
      region.focus({ preventScroll: true });
    });
    // The button floats above the list: a wheel over it means the list.
    back.addEventListener("wheel", ({ deltaY }) => region.scrollBy(0, deltaY), { passive: true });
    document.addEventListener("selectionchange", () => {
      const selection = document.getSelection();
      const anchor = selection?.isCollapsed ? null : selection?.anchorNode;
      if (anchor && region.contains(anchor) && region !== anchor) this.pause();
    });
    new ResizeObserver(() => this.#follow()).observe(region);
  }

  get paused() {
    return this.#paused !== null;
  }

  /** The messages that came while the list stood still. */
  get waiting() {
    return this.#paused && this.#channel ? this.#channel.received - this.#paused.received : 0;
  }

  /** @param {import("./channel.js").Channel} channel */
  show(channel) {
    this.#channel = channel;
    this.#paused = null;
    this.#refill();
  }

  pause(scrolled = false) {
    if (this.#paused || !this.#channel) return;
    this.#paused = { received: this.#channel.received, scrolled };
    this.changed();
  }

  continue() {
    this.#paused = null;
    this.#continued_ms = performance.now();
    this.draw();
    this.#follow();
    this.changed();
  }

  /** Brings in what came since the last frame. */
  draw() {
    const channel = this.#channel;
    if (!channel) return;
    this.empty.hidden = channel.total > 0;
    this.back.hidden = !this.#paused;
    if (this.#paused) {
      write(this.back.lastElementChild ?? this.back, this.waiting ? t("back", { n: this.waiting }) : t("back_none"));
      return;
    }
    const { rows, total, numbers } = channel;
    // Columns are read down, so their lines are not broken.
    this.region.classList.toggle("columns", numbers.columns.length > 1);
    if (total === this.#upto) return;
    const first = firstShown(rows);
    const fresh = rows.slice(Math.max(first, rows.length - (total - this.#upto)));
    this.#upto = total;
    this.region.append(...fresh.map((row) => this.#element(row)));
    for (const [row, element] of this.#shown) {
      if (row === rows[first]) break;
      element.remove();
      this.#shown.delete(row);
    }
    this.#drawBefore(channel, first);
    this.#follow();
  }

  /** Rows came before the first: those in the list stay where they are. */
  prepended() {
    const rows = this.#channel?.rows ?? [];
    const { region } = this;
    const [oldest] = this.#shown.keys();
    const begin = firstShown(rows);
    const old = this.#shown;
    const height = region.scrollHeight;
    const fresh = rows.slice(begin, rows.indexOf(oldest));
    this.#shown = new Map();
    this.#before.after(...fresh.map((row) => this.#element(row)));
    for (const [row, element] of old) this.#shown.set(row, element);
    if (this.#channel) this.#drawBefore(this.#channel, begin);
    if (this.#paused) this.#top = region.scrollTop += region.scrollHeight - height;
    else this.#follow();
  }

  /** A row says something else now. @param {import("./channel.js").Row} row */
  redraw(row) {
    const old = this.#shown.get(row);
    if (!old) return;
    const element = rowElement(row);
    old.replaceWith(element);
    this.#shown.set(row, element);
  }

  /** Every row again: the language has changed. */
  redrawAll() {
    for (const row of this.#shown.keys()) this.redraw(row);
    if (this.#channel) this.#drawBefore(this.#channel, firstShown(this.#channel.rows));
    this.draw();
    this.#follow();
  }

  #refill() {
    for (const element of this.#shown.values()) element.remove();
    this.#shown.clear();
    this.#upto = 0;
    this.#before.hidden = true;
    this.draw();
  }

  /** @param {import("./channel.js").Row} row */
  #element(row) {
    const element = rowElement(row);
    this.#shown.set(row, element);
    return element;
  }

  /** Says what is before the first row, or offers it. @param {import("./channel.js").Channel} channel @param {number} first */
  #drawBefore(channel, first) {
    const messages = channel.received + channel.earlier;
    const dropped = first > 0 || channel.before === "dropped";
    // Fewer than the first subscription asks for: it brought all there was.
    this.#before.hidden = messages < FIRST_LEN && !dropped;
    this.#earlier.hidden = dropped || channel.before !== "more";
    let text = channel.before === "nothing" ? t("before_nothing") : "";
    if (dropped) {
      let missed = channel.missed.messages;
      for (const row of this.#shown.keys()) if (row.kind === "gap") missed -= row.missing ?? 0;
      text = t("before_dropped", { n: MESSAGES_MAX });
      if (missed > 0) text += ` · ${t("before_missed", { n: missed })}`;
    }
    write(this.#beforeText, text);
  }

  #follow() {
    if (this.#paused) return;
    this.region.scrollTop = this.region.scrollHeight;
    this.#top = this.region.scrollTop;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.region;
    const up = scrollTop < this.#top;
    this.#top = scrollTop;
    if (scrollHeight - scrollTop - clientHeight <= END_TOLERANCE_PX) {
      if (this.#paused?.scrolled) this.continue();
    } else if (up && performance.now() - this.#continued_ms < SMOOTH_SCROLL_MS) {
      this.#follow();
    } else if (up) {
      this.pause(true);
    }
  }
}
