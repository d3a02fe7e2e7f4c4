// What the history has before the first message of a list.

import { MESSAGES_MAX } from "./channel.js";
import { channelPath } from "./directory.js";

/** The answers that are read in search of that message: the server keeps each of them small. */
const PAGES_MAX = 20;

/** @typedef {import("./channel.js").Item} Item */

/**
 * Brings the messages before the channel's first into its list.
 * @param {import("./channel.js").Channel} channel
 */
export async function bringEarlier(channel) {
  const first = channel.rows.find((row) => row.kind === "message");
  if (first?.kind !== "message") return;
  const items = await before(channel.name, first.position);
  // Meanwhile the list may have grown beyond that message.
  if (channel.rows.includes(first)) channel.prepend(items);
}

/**
 * The history's messages up to a position, oldest first; none if it has none or no longer has that position.
 * @param {string} name
 * @param {string} position
 * @returns {Promise<Item[]>}
 */
async function before(name, position) {
  /** @type {Item[]} */
  const found = [];
  let since = `last:${MESSAGES_MAX}`;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = new URLSearchParams({ since, limit: String(MESSAGES_MAX) });
    const answer = await fetch(`${channelPath(name)}?${query}`, { headers: { accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    /** @type {{items: Item[], next: string, head: string}} */
    const { items, next, head } = await answer.json();
    const index = items.findIndex((item) => item.position === position);
    found.push(...(index < 0 ? items : items.slice(0, index)));
    if (index >= 0) return found;
    if (items.length === 0 || next === head) break;
    since = next;
  }
  return [];
}
