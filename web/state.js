// The line that says how the connection and the channel are: an icon, and words.

import { byId, icon, write } from "./dom.js";
import { t } from "./language.js";
import { endedWell, statusText } from "./row.js";

/** After so many attempts in a row without success the server is called gone. */
const GONE_AFTER = 4;

/**
 * @typedef {"connecting" | "live" | "waiting" | "gone" | "ended" | "failed"} Mood
 * @typedef {{mood: Mood, text: string, spoken: string}} State
 */

export class StateLine {
  #line = byId("state", HTMLElement);
  #icon = byId("state-icon", HTMLElement);
  #text = byId("state-text", HTMLElement);
  #retry = byId("retry", HTMLButtonElement);
  #spoken = "";

  /** @param {import("./announcer.js").Announcer} announcer */
  constructor(announcer) {
    this.announcer = announcer;
  }

  /** What it says, unless all is well. @param {import("./link.js").LinkState} link @param {import("./channel.js").Channel | null} channel */
  draw(link, channel) {
    const { mood, text, spoken } = described(link, channel);
    this.#line.dataset.mood = mood;
    this.icon(this.#icon, mood === "failed" ? "gone" : mood);
    write(this.#text, text);
    const waiting = link.name === "waiting";
    if (!waiting && document.activeElement === this.#retry) byId("messages", HTMLElement).focus();
    this.#retry.hidden = !waiting;
    // The countdown is for the eyes: only a change of state is spoken.
    if (spoken !== this.#spoken) this.announcer.say(spoken);
    this.#spoken = spoken;
    return mood === "live" || mood === "connecting" ? "" : spoken;
  }

  /** Puts an icon into its place, if another is there. @param {HTMLElement} place @param {string} name */
  icon(place, name) {
    if (place.dataset.icon === name) return;
    place.dataset.icon = name;
    place.replaceChildren(icon(name));
  }
}

/** @param {import("./link.js").LinkState} link @param {import("./channel.js").Channel | null} channel @returns {State} */
function described(link, channel) {
  if (link.name === "waiting") {
    const n = Math.max(1, Math.ceil((link.until_ms - performance.now()) / 1000));
    return link.failures >= GONE_AFTER
      ? { mood: "gone", text: t("state_gone_waiting", { n }), spoken: t("state_gone") }
      : { mood: "waiting", text: t("state_waiting", { n }), spoken: t("state_reconnecting") };
  }
  if (link.name === "connecting" && link.failures > 0) {
    return link.failures >= GONE_AFTER ? said("gone", t("state_gone")) : said("waiting", t("state_reconnecting"));
  }
  if (link.name === "connecting" || !channel || channel.state === "idle") return said("connecting", t("state_connecting"));
  if (channel.refusal) {
    const { code, message } = channel.refusal;
    return said("gone", code === "unknown_channel"
      ? t("state_unknown_channel", { name: channel.name }) : t("state_refused", { reason: message }));
  }
  if (channel.state === "subscribing") return said("connecting", t("state_connecting"));
  if (channel.ended !== null) return said(endedWell(channel.ended) ? "ended" : "failed", t("state_ended", { status: statusText(channel.ended) }));
  return said("live", t("state_live"));
}

/** @param {Mood} mood @param {string} text @returns {State} */
const said = (mood, text) => ({ mood, text, spoken: text });
