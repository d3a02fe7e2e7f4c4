// The plots of a channel: one for a number, up to four for columns of numbers.

import uPlot from "./uplot.js";
import { make } from "./dom.js";
import { t } from "./language.js";
import { Plot } from "./plot.js";

const PLOTS_MAX = 4;
/** On a small screen plots must leave room for the messages: so many in a row, and one row. */
const PLOTS_FIRST_NARROW = 1;
const PLOTS_FIRST_SMALL = 2;
/** The columns are chosen once there is so much to choose by. */
const CHOOSE_AFTER = 5;
const HEIGHT_PX = 150;
const HEIGHT_LOW_PX = 92;
const PERIOD_MS = 100;
const PERIOD_CALM_MS = 1_000;

export class Plots {
  /** @type {import("./channel.js").Channel | null} */
  #channel = null;
  /** @type {Plot[]} */
  #plots = [];
  /** The columns that the reader chose. @type {Map<string, number[]>} */
  #chosen = new Map();
  /** What the plots were made for. @type {import("./numbers.js").Numbers | null} */
  #numbers = null;
  #shape = 0;
  #version = 0;
  #settled = false;
  #drawn_ms = 0;

  /** @param {{section: HTMLElement, grid: HTMLElement, note: HTMLElement, choice: HTMLDetailsElement, boxes: HTMLElement}} parts */
  constructor(parts) {
    this.parts = parts;
    this.small = matchMedia("(max-width: 48rem), (max-height: 34rem)");
    this.narrow = matchMedia("(max-width: 34rem)");
    this.low = matchMedia("(max-height: 36rem)");
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)", `(resolution: ${devicePixelRatio}dppx)`]) {
      matchMedia(query).addEventListener("change", () => this.restyle());
    }
    parts.boxes.addEventListener("change", () => this.#choose());
  }

  /** @param {import("./channel.js").Channel} channel */
  show(channel) {
    this.#channel = channel;
    this.rebuild();
  }

  /** Draws if something changed and the last drawing is long enough ago; true when there is more to draw later. */
  draw() {
    const numbers = this.#channel?.numbers;
    if (!numbers) return false;
    const settled = numbers.times.length >= CHOOSE_AFTER;
    if (numbers !== this.#numbers || numbers.shape !== this.#shape || settled !== this.#settled || this.parts.section.hidden === numbers.drawable) {
      this.rebuild();
      return false;
    }
    if (numbers.version === this.#version || this.#plots.length === 0) return false;
    const now_ms = performance.now();
    if (now_ms - this.#drawn_ms < (this.calm.matches ? PERIOD_CALM_MS : PERIOD_MS)) return true;
    this.#drawn_ms = now_ms;
    this.#version = numbers.version;
    for (const plot of this.#plots) plot.draw();
    return false;
  }

  /** The plots anew: other columns, another language, another channel. */
  rebuild() {
    const { section, grid, note, choice, boxes } = this.parts;
    const channel = this.#channel;
    for (const plot of this.#plots) plot.remove();
    this.#plots = [];
    section.hidden = !channel?.numbers.drawable;
    if (!channel) return;
    const { numbers, name } = channel;
    const width = numbers.columns.length;
    this.#numbers = numbers;
    this.#shape = numbers.shape;
    this.#version = numbers.version;
    this.#settled = numbers.times.length >= CHOOSE_AFTER;
    if (section.hidden) return;

    const columns = (this.#chosen.get(name) ?? numbers.liveliest(this.#first()))
      .filter((column) => column < width);
    note.hidden = uPlot !== null;
    choice.hidden = width < 2;
    boxes.replaceChildren(...(width < 2 ? [] : numbers.columns.map((_, column) => this.#box(column, columns))));
    grid.classList.toggle("several", columns.length > 1);
    for (const column of columns) {
      const caption = width === 1 ? t("plot_of", { name }) : this.#columnName(column);
      const plot = new Plot(numbers, column, caption, width === 1 && !this.low.matches ? HEIGHT_PX : HEIGHT_LOW_PX);
      this.#plots.push(plot);
      grid.append(plot.element);
      plot.draw();
    }
  }

  /** The plots that are shown before the reader chooses. */
  #first() {
    return this.narrow.matches ? PLOTS_FIRST_NARROW : this.small.matches ? PLOTS_FIRST_SMALL : PLOTS_MAX;
  }

  restyle() {
    for (const plot of this.#plots) {
      plot.restyle();
      plot.draw();
    }
  }

  /** @param {number} column */
  #columnName(column) {
    return this.#channel?.numbers.names?.[column] ?? t("column", { n: column + 1 });
  }

  /** @param {number} column @param {number[]} chosen */
  #box(column, chosen) {
    const label = make("label", "box");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.value = String(column);
    box.checked = chosen.includes(column);
    box.disabled = !box.checked && chosen.length >= PLOTS_MAX;
    label.append(box, this.#columnName(column));
    return label;
  }

  #choose() {
    if (!this.#channel) return;
    const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.value : null;
    const checked = [...this.parts.boxes.querySelectorAll("input")].filter((box) => box.checked);
    this.#chosen.set(this.#channel.name, checked.map((box) => Number(box.value)));
    this.rebuild();
    for (const box of this.parts.boxes.querySelectorAll("input")) if (box.value === focused) box.focus();
  }
}
