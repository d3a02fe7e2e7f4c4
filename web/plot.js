// One small plot of one column, and its figures in words, which are the plot's text alternative.

import uPlot from "./uplot.js";
import { make, write } from "./dom.js";
import { compact, exact, rounded, t, tick, timeOfDay } from "./language.js";

/** @typedef {import("./numbers.js").Numbers} Numbers */

const FIGURES = /** @type {const} */ (["last", "minimum", "maximum", "mean", "count"]);
const FONT = "11px system-ui, sans-serif";
let ids = 0;

export class Plot {
  /** @type {InstanceType<NonNullable<typeof uPlot>> | null} */
  #drawing = null;
  #timed = true;
  #width = 0;

  /** @param {Numbers} numbers @param {number} column @param {string} name @param {number} height_px */
  constructor(numbers, column, name, height_px) {
    this.numbers = numbers;
    this.column = column;
    this.height_px = height_px;
    const id = `plot-${ids += 1}`;

    this.element = make("figure", "plot");
    const caption = make("figcaption", "", name);
    caption.id = `${id}-name`;
    this.readout = make("span", "readout");
    this.readout.setAttribute("aria-hidden", "true");
    const heading = make("div", "plot-head");
    heading.append(caption, this.readout);

    this.figures = make("dl", "figures");
    this.figures.id = `${id}-figures`;
    this.values = FIGURES.map((figure) => {
      const pair = make("div", figure);
      const value = make("dd");
      pair.append(make("dt", "", t(`stat_${figure}`)), value);
      this.figures.append(pair);
      return value;
    });

    this.canvas = make("div", "canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-labelledby", caption.id);
    this.canvas.setAttribute("aria-describedby", this.figures.id);
    this.element.append(heading, ...(uPlot ? [this.canvas] : []), this.figures);

    this.observer = new ResizeObserver(([entry]) => {
      this.#width = Math.floor(entry.contentRect.width);
      this.#drawing?.setSize({ width: this.#width, height: this.height_px });
      this.draw();
    });
    this.observer.observe(this.canvas);
  }

  draw() {
    const figures = this.numbers.figures(this.column);
    FIGURES.forEach((figure, index) => {
      const value = figures?.[figure];
      write(this.values[index], value === undefined ? "" : figure === "mean" ? rounded(value) : exact(value));
    });
    if (!uPlot || this.#width < 40) return;
    const { timed, x, y } = this.numbers.line(this.column);
    if (timed !== this.#timed) this.restyle();
    this.#timed = timed;
    if (this.#drawing) this.#drawing.setData([x, y]);
    else this.#drawing = new uPlot(this.#options(), [x, y], this.canvas);
  }

  /** Draws anew with the colours of the moment. */
  restyle() {
    this.#drawing?.destroy();
    this.#drawing = null;
  }

  remove() {
    this.observer.disconnect();
    this.restyle();
    this.element.remove();
  }

  /** @returns {import("uplot").Options} */
  #options() {
    const style = getComputedStyle(document.documentElement);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--muted"), font: FONT,
      grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false },
    };
    return {
      width: this.#width,
      height: this.height_px,
      padding: [8, this.#timed ? 28 : 16, 0, 0],
      legend: { show: false },
      scales: { x: { time: this.#timed } },
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "enchufe" }, points: { size: 7 } },
      hooks: { setCursor: [(drawing) => this.#read(drawing.cursor.idx)] },
      axes: [
        {
          ...axis, size: 24, gap: 4, space: this.#timed ? 80 : 48, grid: { show: false },
          values: (_, splits, __, ___, step) => splits.map((at) => this.#timed ? tick(at, step) : Number.isInteger(at) ? exact(at) : ""),
        },
        { ...axis, size: 52, gap: 6, space: 26, values: (_, splits) => splits.map((value) => compact(value)) },
      ],
      series: [{}, { stroke: colour("--plot"), width: 1.5, points: { size: 4, fill: colour("--plot") } }],
    };
  }

  /** Says what is under the pointer. @param {number | null | undefined} index */
  #read(index) {
    const { timed, x, y } = this.numbers.line(this.column);
    const value = index == null ? null : y[index];
    const when = index == null ? 0 : x[index];
    write(this.readout, value == null ? "" : `${timed ? timeOfDay(new Date(when * 1000)) : exact(when)} · ${exact(value)}`);
  }
}
