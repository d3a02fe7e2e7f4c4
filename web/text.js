// What a peer sent, as text that cannot deceive: control and bidi characters are shown, not obeyed.

/** C0 but newline and tab, DEL and C1, the line and paragraph separators, and every bidi control. */
const DECEIVING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The characters of one message that are kept and shown. */
export const SHOWN_CHARACTERS_MAX = 4_000;
/** The bytes of one binary message that are kept and shown. */
const SHOWN_BYTES_MAX = 64;

/** The beginning of a text, and how many characters (UTF-16 units) are left out. @param {string} text */
export function beginning(text, max = SHOWN_CHARACTERS_MAX) {
  if (text.length <= max) return { text, left: 0 };
  const last = text.charCodeAt(max - 1);
  const end = last >= 0xd800 && last < 0xdc00 ? max - 1 : max;
  return { text: text.slice(0, end), left: text.length - end };
}

/** How a deceiving character is written. @param {string} character */
function escaped(character) {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** The text with every deceiving character written out. @param {string} text */
export const plain = (text) => text.replace(DECEIVING, escaped);

/** Appends the text to an element, its deceiving characters written out and marked. @param {Element} element @param {string} text */
export function appendText(element, text) {
  let from = 0;
  for (const match of text.matchAll(DECEIVING)) {
    if (match.index > from) element.append(text.slice(from, match.index));
    const mark = document.createElement("span");
    mark.className = "escaped";
    mark.textContent = escaped(match[0]);
    element.append(mark);
    from = match.index + 1;
  }
  element.append(from === 0 ? text : text.slice(from));
}

/** A binary message: how long it is and its first bytes in hexadecimal. @param {string} base64 */
export function binary(base64) {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  const bytes = Math.floor(base64.length / 4) * 3 - padding;
  let first = "";
  try {
    first = atob(base64.slice(0, Math.ceil(SHOWN_BYTES_MAX / 3) * 4));
  } catch {
    // Not base64 after all: its length is all that can be said.
  }
  const hex = Array.from(first.slice(0, SHOWN_BYTES_MAX), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0"));
  return { bytes, hex: hex.join(" ") + (bytes > SHOWN_BYTES_MAX ? " …" : "") };
}
