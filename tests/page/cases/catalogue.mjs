// Every text exists in every language, with the same values in it, and is used.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { catalogue } from "../../../web/catalogue.js";

const WEB = new URL("../../../web/", import.meta.url);
const LANGUAGES = ["en", "es"];
/** The keys that scripts put together from parts. */
const COMPOSED = /^(state|reason|stat)_/;

const forms = (text) => (typeof text === "string" ? [text] : [text.one, text.other]);
const values = (text) => [...new Set(forms(text).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();

export const cases = {
  "every text is there in every language, with the same values in it": async () => {
    for (const [key, entry] of Object.entries(catalogue)) {
      assert.deepEqual(Object.keys(entry), LANGUAGES, key);
      for (const language of LANGUAGES) {
        assert(forms(entry[language]).every((form) => typeof form === "string" && form.trim() !== ""), `${key} in ${language}`);
        assert.deepEqual(values(entry[language]), values(entry.en), `${key} in ${language}`);
      }
    }
  },

  "every text that the pages ask for is in the catalogue, and none is idle": async () => {
    const names = (await readdir(WEB)).filter((name) => /\.(js|html)$/.test(name) && name !== "catalogue.js");
    const sources = (await Promise.all(names.map((name) => readFile(new URL(name, WEB), "utf8")))).join("\n");
    const asked = [...sources.matchAll(/\bt\("(\w+)"|data-t(?:-label|-title)?="(\w+)"/g)].map((match) => match[1] ?? match[2]);
    for (const key of asked) assert(key in catalogue, `${key} is asked for`);
    for (const key of Object.keys(catalogue)) {
      assert(COMPOSED.test(key) || new RegExp(`"${key}"`).test(sources), `${key} is never asked for`);
    }
  },
};
