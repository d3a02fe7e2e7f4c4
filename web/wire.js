// The server's half of enchufe.v1: one JSON text frame to one event, checked once, here.

/**
 * @typedef {{type: "subscribed", channel: string, position: string}
 *   | {type: "message", channel: string, position: string, time: string, data?: string, base64?: string}
 *   | {type: "gap", channel: string, after: string, next: string, reason: string, missing?: number}
 *   | {type: "end", channel: string, position: string, status: string}
 *   | {type: "position", channel: string, position: string}
 *   | {type: "unsubscribed", channel: string}
 *   | {type: "error", code: string, message: string, channel?: string}
 *   | {type: "pong"}} Event
 */

export const PROTOCOL = "enchufe.v1";

/** The fields that an event cannot do without. @type {Record<Event["type"], string[]>} */
const REQUIRED = {
  subscribed: ["channel", "position"],
  message: ["channel", "position", "time"],
  gap: ["channel", "after", "next", "reason"],
  end: ["channel", "position", "status"],
  position: ["channel", "position"],
  unsubscribed: ["channel"],
  error: ["code", "message"],
  pong: [],
};

/**
 * The event in a frame; null for one that a newer server may send and this page does not know.
 * Throws when the frame is not enchufe.v1 at all.
 * @param {unknown} frame
 * @returns {Event | null}
 */
export function parse(frame) {
  if (typeof frame !== "string") throw new TypeError("not a text frame");
  const envelope = JSON.parse(frame);
  const [type, body] = Object.entries(envelope)[0] ?? [];
  if (type === undefined || typeof body !== "object" || body === null) throw new TypeError("not an envelope");
  if (!Object.hasOwn(REQUIRED, type)) return null;
  for (const field of REQUIRED[/** @type {Event["type"]} */ (type)]) {
    if (typeof body[field] !== "string") throw new TypeError(`${type} without ${field}`);
  }
  return /** @type {Event} */ ({ ...body, type });
}

/** @param {string} channel @param {string} since */
export const subscribe = (channel, since) => ({ subscribe: { channel, since, slow: "skip" } });

/** @param {string} channel */
export const unsubscribe = (channel) => ({ unsubscribe: { channel } });
