// The page's one WebSocket: opened, watched, and opened again when it is lost.

import { PROTOCOL, parse } from "./wire.js";

/**
 * @typedef {{name: "connecting", failures: number} | {name: "open"}
 *   | {name: "waiting", failures: number, until_ms: number}} LinkState
 * @typedef {{state(state: LinkState): void, opened(): void, event(event: import("./wire.js").Event): void}} Listener
 */

const DELAY_MIN_MS = 500;
const DELAY_MAX_MS = 15_000;
/** A connection that lasted this long was a good one: the next wait is short again. */
const SETTLED_MS = 5_000;
/** The server speaks at least every 20 s; three silences in a row mean that the way to it is dead. */
const SILENCE_MAX_MS = 65_000;
/** An attempt that takes longer is given up. */
const OPENING_MAX_MS = 10_000;
const WATCH_MS = 2_500;

/** How long to wait after so many failures in a row: doubled each time, and scattered so that
 * the readers of a restarted server do not all come at once. @param {number} failures @param {number} random from 0 to 1 */
export function delay_ms(failures, random) {
  const full = Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** (failures - 1));
  return full * (0.5 + random / 2);
}

export class Link {
  /** @type {WebSocket | null} */
  #socket = null;
  #failures = 0;
  #opened_ms = 0;
  #heard_ms = 0;
  #timer = 0;
  #watch = 0;

  /** @param {string} url @param {Listener} listener */
  constructor(url, listener) {
    this.url = url;
    this.listener = listener;
    /** @type {LinkState} */
    this.state = { name: "connecting", failures: 0 };
  }

  open() {
    clearTimeout(this.#timer);
    this.#become({ name: "connecting", failures: this.#failures });
    const socket = new WebSocket(this.url, PROTOCOL);
    this.#socket = socket;
    this.#heard_ms = performance.now();
    this.#watch = setInterval(() => {
      const patience_ms = this.state.name === "open" ? SILENCE_MAX_MS : OPENING_MAX_MS;
      if (performance.now() - this.#heard_ms > patience_ms) this.#lost(socket);
    }, WATCH_MS);
    socket.onopen = () => {
      this.#opened_ms = this.#heard_ms = performance.now();
      this.#become({ name: "open" });
      this.listener.opened();
    };
    socket.onmessage = ({ data }) => {
      this.#heard_ms = performance.now();
      let event;
      try {
        event = parse(data);
      } catch (error) {
        // What cannot be read may have been a message: resuming asks for it again.
        console.warn("enchufe: unreadable frame", error);
        this.#lost(socket);
        return;
      }
      if (event) this.listener.event(event);
    };
    socket.onclose = () => this.#lost(socket);
  }

  /** Sends if there is a connection; what matters is said again after each `opened`. @param {object} message */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Ends the wait for the next attempt. */
  retry() {
    if (this.state.name === "waiting") this.open();
  }

  /** @param {WebSocket} socket */
  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.onmessage = socket.onclose = null;
    socket.close();
    clearInterval(this.#watch);
    const settled = this.state.name === "open" && performance.now() - this.#opened_ms >= SETTLED_MS;
    this.#failures = settled ? 1 : this.#failures + 1;
    const wait_ms = delay_ms(this.#failures, Math.random());
    this.#become({ name: "waiting", failures: this.#failures, until_ms: performance.now() + wait_ms });
    this.#timer = setTimeout(() => this.open(), wait_ms);
  }

  /** @param {LinkState} state */
  #become(state) {
    this.state = state;
    this.listener.state(state);
  }
}
