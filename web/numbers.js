// The numbers in a channel's messages: what the plots draw and what their text alternative says.

/** The messages that a plot shows. */
export const POINTS_MAX = 1_000;
const COLUMNS_MAX = 64;
/** The least time between two points. */
const RESOLUTION_S = 1e-6;
/** What is dropped at once, so that dropping stays cheap. */
const SLACK = 250;

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** @typedef {{last: number, minimum: number, maximum: number, mean: number, count: number}} Figures */

/** The numbers of a message that holds nothing else: one, or columns of them. @param {string} text @returns {number[] | null} */
export function numbers(text) {
  if (text.length > COLUMNS_MAX * 24) return null;
  const words = text.trim().split(/\s+/);
  if (words.length > COLUMNS_MAX || !words.every((word) => NUMBER.test(word))) return null;
  const values = words.map(Number);
  return values.every(Number.isFinite) ? values : null;
}

export class Numbers {
  /** When each message came, in seconds. @type {number[]} */
  times = [];
  /** Its place among the numeric messages. @type {number[]} */
  places = [];
  /** One list per column; null where a gap breaks the line. @type {(number | null)[][]} */
  columns = [];
  /** The columns' names, where a line of words as many as there are columns came, as `vmstat` prints it. @type {string[] | null} */
  names = null;
  /** Grows with each change. */
  version = 0;
  /** Grows when the number or the names of the columns change. */
  shape = 0;
  /** The latest line of words. @type {string[]} */
  #header = [];
  #place = 0;
  #broken = false;

  /** @param {Date} time @param {string} text */
  add(time, text) {
    const values = numbers(text);
    if (!values) {
      this.#words(text);
      return;
    }
    if (values.length !== this.columns.length) this.#begin(values.length);
    const seconds = time.getTime() / 1000;
    if (this.#broken && this.times.length) this.#push(seconds, this.#place + 0.5, null);
    this.#broken = false;
    this.#push(seconds, this.#place += 1, values);
  }

  /** Something is missing here: the line must not be drawn across. */
  gap() {
    this.#broken = true;
  }

  /** There is something to draw. */
  get drawable() {
    return this.times.length >= 2;
  }

  /** The figures of a column's points that are shown; null when it has none. @param {number} column @returns {Figures | null} */
  figures(column) {
    let last = 0, minimum = Infinity, maximum = -Infinity, sum = 0, count = 0;
    for (const value of this.#shown(this.columns[column] ?? [])) {
      if (value === null) continue;
      last = value;
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
      sum += value;
      count += 1;
    }
    return count ? { last, minimum, maximum, mean: sum / count, count } : null;
  }

  /**
   * What a plot draws: over time, or over the messages' order when all came at once.
   * @param {number} column
   * @returns {{timed: boolean, x: number[], y: (number | null)[]}}
   */
  line(column) {
    const times = this.#shown(this.times);
    const timed = times.length > 0 && times[times.length - 1] - times[0] >= 1;
    return { timed, x: timed ? times : this.#shown(this.places), y: this.#shown(this.columns[column] ?? []) };
  }

  /** The columns that changed most often, at most so many, in their order. @param {number} count @returns {number[]} */
  liveliest(count) {
    const changes = this.columns.map((column) =>
      column.filter((value, index) => index > 0 && value !== column[index - 1]).length);
    return changes.map((_, index) => index)
      .sort((a, b) => changes[b] - changes[a] || a - b)
      .slice(0, count)
      .sort((a, b) => a - b);
  }

  /** @param {number} width */
  #begin(width) {
    this.times = [];
    this.places = [];
    this.columns = Array.from({ length: width }, () => []);
    this.names = width > 1 && this.#header.length === width ? this.#header : null;
    this.#broken = false;
    this.shape += 1;
  }

  /** @param {string} text */
  #words(text) {
    const words = text.length > COLUMNS_MAX * 24 ? [] : text.trim().split(/\s+/);
    this.#header = words.length <= COLUMNS_MAX && words.every((word) => /^[\p{L}%_]/u.test(word)) ? words : [];
    if (this.columns.length > 1 && this.#header.length === this.columns.length
      && this.#header.join(" ") !== this.names?.join(" ")) {
      this.names = this.#header;
      this.shape += 1;
    }
  }

  /** @param {number} seconds @param {number} place @param {number[] | null} values */
  #push(seconds, place, values) {
    // uPlot wants each point after the one before it, also when two came at once or a clock was set back.
    this.times.push(Math.max(seconds, (this.times.at(-1) ?? 0) + RESOLUTION_S));
    this.places.push(place);
    this.columns.forEach((column, index) => column.push(values ? values[index] : null));
    if (this.times.length > POINTS_MAX + SLACK) {
      for (const list of [this.times, this.places, ...this.columns]) list.splice(0, list.length - POINTS_MAX);
    }
    this.version += 1;
  }

  /** @template T @param {T[]} list */
  #shown(list) {
    return list.length > POINTS_MAX ? list.slice(-POINTS_MAX) : list;
  }
}
