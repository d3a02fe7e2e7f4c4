// The page's deterministic parts, without a browser.

import assert from "node:assert/strict";
import { delay_ms } from "../../../web/link.js";
import { Numbers, POINTS_MAX, numbers } from "../../../web/numbers.js";
import { beginning, binary, plain } from "../../../web/text.js";
import { parse } from "../../../web/wire.js";

export const cases = {
  "the wait before the next attempt doubles, is scattered by half, and is at most 15 seconds": async () => {
    assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map((failures) => delay_ms(failures, 1)), [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    assert.equal(delay_ms(3, 0), 1_000);
    assert(Number.isFinite(delay_ms(5_000, 0.5)));
  },

  "a message of numbers is told from one of words": async () => {
    for (const [text, values] of [["7", [7]], [" -1.5e3 ", [-1500]], ["1 2\t3", [1, 2, 3]], [".5", [0.5]], ["+3.", [3]]]) {
      assert.deepEqual(numbers(text), values, text);
    }
    for (const text of ["", " ", "NaN", "Infinity", "1,5", "0x10", "1 two", "10:00", "1e999", "9 ".repeat(100)]) {
      assert.equal(numbers(text), null, text);
    }
  },

  "the figures are those of the points that are shown": async () => {
    const all = new Numbers();
    for (let n = 1; n <= 5_000; n += 1) all.add(new Date(n * 1_000), String(n));
    assert.deepEqual(all.figures(0), { last: 5_000, minimum: 4_001, maximum: 5_000, mean: 4_500.5, count: POINTS_MAX });
    assert.equal(all.line(0).x.length, POINTS_MAX);
  },

  "a gap breaks the line, and points never go back in time": async () => {
    const all = new Numbers();
    for (const [seconds, text] of [[10, "1"], [10, "2"], [9, "3"]]) all.add(new Date(seconds * 1_000), text);
    all.gap();
    all.add(new Date(12_000), "4");
    const { timed, x, y } = all.line(0);
    assert.deepEqual(y, [1, 2, 3, null, 4]);
    assert(timed && x.every((at, index) => index === 0 || at > x[index - 1]), x.join());
    assert.equal(all.figures(0)?.count, 4);
  },

  "columns get the names of a line with as many words": async () => {
    const all = new Numbers();
    all.add(new Date(0), "procs ---memory---");
    all.add(new Date(0), " r free");
    all.add(new Date(0), "1 2");
    assert.deepEqual(all.names, ["r", "free"]);
    all.add(new Date(0), "other words here");
    assert.deepEqual(all.names, ["r", "free"]);
    all.add(new Date(0), "7");
    assert.equal(all.columns.length, 1);
    assert.equal(all.names, null);
  },

  "a text is never cut inside a character": async () => {
    assert.deepEqual(beginning("ab😀", 3), { text: "ab", left: 2 });
    assert.deepEqual(beginning("ab😀", 4), { text: "ab😀", left: 0 });
    assert.equal(plain("a\r\n\tb\u0085\u2066"), "a\\x0d\n\tb\\x85\\u2066");
    assert.deepEqual(binary(Buffer.from([0, 255, 16]).toString("base64")), { bytes: 3, hex: "00 ff 10" });
  },

  "a frame is an event, an event not known yet, or an error": async () => {
    assert.deepEqual(parse('{"position":{"channel":"a","position":"e-1"}}'), { type: "position", channel: "a", position: "e-1" });
    assert.equal(parse('{"presence":{"channel":"a"}}'), null);
    assert.equal(parse('{"constructor":{}}'), null);
    for (const frame of ["", "7", "null", "{}", '{"message":7}', '{"message":{"channel":"a"}}', '{"gap":{"channel":"a","after":1}}', new Uint8Array()]) {
      assert.throws(() => parse(frame), String(frame));
    }
  },
};
