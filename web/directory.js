// The list of channels, as the server has it.

import { icon, make } from "./dom.js";
import { t } from "./language.js";

/** The channels that the list shows. */
const LISTED_MAX = 500;

/** @typedef {{name: string, default?: boolean, ended?: string | null}} Entry */

/** Where a channel is. A slash in its name is one in its path. @param {string} name */
export const channelPath = (name) => `/channels/${name.split("/").map(encodeURIComponent).join("/")}`;

export class Directory {
  /** @type {Entry[]} */
  #entries = [];
  #known = false;
  /** What the list shows now, to tell whether it must be drawn. */
  #drawn = "";

  /** @param {HTMLElement} list @param {HTMLElement} none */
  constructor(list, none) {
    this.list = list;
    this.none = none;
  }

  /** The channel shown where the address names none. */
  get preferred() {
    return (this.#entries.find((entry) => entry.default) ?? this.#entries[0])?.name;
  }

  /** Asks the server; without an answer the list stays as it was. */
  async refresh() {
    try {
      const answer = await fetch("/channels", { headers: { accept: "application/json" }, cache: "no-store" });
      const { channels } = await answer.json();
      this.#entries = channels.filter((/** @type {unknown} */ entry) => isEntry(entry)).slice(0, LISTED_MAX);
      this.#known = true;
    } catch (error) {
      console.warn("enchufe: no list of channels", error);
    }
  }

  /** Draws even if nothing but the language changed. */
  redraw() {
    this.#drawn = "";
  }

  /** @param {import("./channel.js").Channel | null} shown */
  draw(shown) {
    this.none.hidden = !this.#known || this.#entries.length > 0;
    const entries = this.#entries.map(({ name, ended }) => ({
      name,
      ended: name === shown?.name ? shown.ended ?? (shown.state === "live" ? null : ended) : ended,
      current: name === shown?.name,
    }));
    const drawn = JSON.stringify(entries);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = this.list.contains(document.activeElement) ? document.activeElement?.textContent : null;
    this.list.replaceChildren(...entries.map((entry) => this.#item(entry)));
    for (const link of this.list.querySelectorAll("a")) if (link.textContent === focused) link.focus();
  }

  /** @param {{name: string, ended?: string | null, current: boolean}} entry */
  #item({ name, ended, current }) {
    const item = make("li");
    const link = document.createElement("a");
    link.href = channelPath(name);
    if (current) link.setAttribute("aria-current", "page");
    const label = make("span", "name", name);
    label.dir = "auto";
    link.append(label);
    if (typeof ended === "string") {
      const mark = make("span", "mark-ended");
      mark.append(icon("ended"), make("span", "", t("channel_ended")));
      link.append(" ", mark);
    }
    item.append(link);
    return item;
  }
}

/** @param {unknown} entry @returns {entry is Entry} */
const isEntry = (entry) =>
  typeof entry === "object" && entry !== null && "name" in entry && typeof entry.name === "string";
