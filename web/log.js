// The list of messages: follows the newest, and stands still while its reader looks back.

import { ROWS_MAX } from "./channel.js";
import { write } from "./dom.js";
import { t } from "./language.js";
import { rowElement } from "./row.js";

/** The distance from the end, in CSS pixels, that still counts as being there. */
const END_TOLERANCE_PX = 8;

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

  /** @param {HTMLElement} region @param {HTMLElement} empty @param {HTMLButtonElement} back @param {() => void} changed */
  constructor(region, empty, back, changed) {
    this.region = region;
    this.empty = empty;
    this.back = back;
    this.changed = changed;
    region.addEventListener("scroll", () => this.#scrolled(), { passive: true });
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
    const count = Math.min(channel.total - this.#upto, ROWS_MAX, channel.rows.length);
    if (count === 0) return;
    this.#upto = channel.total;
    const fragment = document.createDocumentFragment();
    for (const row of channel.rows.slice(-count)) {
      const element = rowElement(row);
      this.#shown.set(row, element);
      fragment.append(element);
    }
    for (const [row, element] of this.#shown) {
      if (this.#shown.size <= ROWS_MAX) break;
      element.remove();
      this.#shown.delete(row);
    }
    this.region.append(fragment);
    this.#follow();
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
    this.draw();
    this.#follow();
  }

  #refill() {
    for (const element of this.#shown.values()) element.remove();
    this.#shown.clear();
    this.#upto = 0;
    this.draw();
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
    } else if (up) {
      this.pause(true);
    }
  }
}
