// Which language the page speaks, and how it writes numbers and times in it.

import { catalogue } from "./catalogue.js";

/** @typedef {"en" | "es"} Language */

const STORED = "enchufe.language";

/** @type {Language} */
export let language = stored() ?? preferred(navigator.languages);

/** @type {Intl.DateTimeFormatOptions} */
const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
/** @type {Intl.DateTimeFormatOptions} */
const TIME_EXACT = { ...TIME, fractionalSecondDigits: 3 };

/** The reader's own variety (`es-MX`), for numbers and times. */
let locale = "";
/** @type {Intl.PluralRules} */
let plural;
/** The formatters made so far: making one is dear, using one is not. @type {Map<string, Intl.NumberFormat | Intl.DateTimeFormat>} */
const formatters = new Map();
prepare();

/** The first of the reader's languages that the page speaks. @param {readonly string[]} tags @returns {Language} */
export function preferred(tags) {
  for (const tag of tags) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "es" || base === "en") return base;
  }
  return "en";
}

/** The other language, kept for the next visit where the browser allows it. */
export function switchLanguage() {
  language = language === "en" ? "es" : "en";
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // Storage may be switched off: the choice then lasts for this visit.
  }
  prepare();
}

/** The text of `key`. @param {import("./catalogue.js").Key} key @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  /** @type {import("./catalogue.js").Text} */
  const entry = catalogue[key][language];
  const form = typeof entry === "string" ? entry
    : plural.select(Number(values.n)) === "one" ? entry.one : entry.other;
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? digits({}).format(value) : String(value);
  });
}

/** A number as exactly as it came. @param {number} value */
export const exact = (value) => digits({ maximumSignificantDigits: 15 }).format(value);

/** A number of which three digits or two decimals tell enough. @param {number} value */
export const rounded = (value) =>
  digits(Math.abs(value) < 1 ? { maximumSignificantDigits: 3 }
    : { maximumFractionDigits: Math.abs(value) < 10_000 ? 2 : 0 }).format(value);

/** A number for the narrow edge of a plot. @param {number} value */
export const compact = (value) =>
  digits(Math.abs(value) < 10_000 ? { maximumSignificantDigits: 6 }
    : { notation: "compact", maximumSignificantDigits: 4 }).format(value);

/** The time of day, with the date when that is not today. @param {Date} time */
export const timeOfDay = (time) =>
  moment(time.toDateString() === new Date().toDateString() ? TIME_EXACT
    : { ...TIME_EXACT, day: "numeric", month: "short" }).format(time);

/** A moment on a plot's edge, as finely as its ticks are apart. @param {number} seconds @param {number} step */
export const tick = (seconds, step) =>
  moment(step >= 86_400 ? { day: "numeric", month: "short" }
    : step >= 60 ? { hour: "2-digit", minute: "2-digit" }
      : step >= 1 ? TIME
        : { ...TIME, fractionalSecondDigits: 3, hour: undefined }).format(new Date(seconds * 1000));

/** Writes the page's fixed texts in the language chosen. */
export function applyLanguage() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) {
    element.textContent = t(key(element, "data-t"));
  }
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(key(element, "data-t-label")));
  }
  for (const element of document.querySelectorAll("[data-t-title]")) {
    element.setAttribute("title", t(key(element, "data-t-title")));
  }
}

/** @param {Element} element @param {string} attribute */
const key = (element, attribute) =>
  /** @type {import("./catalogue.js").Key} */ (element.getAttribute(attribute));

/** @returns {Language | null} */
function stored() {
  try {
    const value = localStorage.getItem(STORED);
    return value === "en" || value === "es" ? value : null;
  } catch {
    return null;
  }
}

function prepare() {
  locale = navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
  plural = new Intl.PluralRules(locale);
  formatters.clear();
}

/** @param {Intl.NumberFormatOptions} options */
const digits = (options) =>
  /** @type {Intl.NumberFormat} */ (formatter("n", options, () => new Intl.NumberFormat(locale, options)));

/** @param {Intl.DateTimeFormatOptions} options */
const moment = (options) =>
  /** @type {Intl.DateTimeFormat} */ (formatter("t", options, () => new Intl.DateTimeFormat(locale, options)));

/** @param {string} kind @param {object} options @param {() => Intl.NumberFormat | Intl.DateTimeFormat} make */
function formatter(kind, options, make) {
  const name = kind + JSON.stringify(options);
  let made = formatters.get(name);
  if (!made) formatters.set(name, made = make());
  return made;
}
