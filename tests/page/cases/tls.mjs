// The pages over TLS, with a development certificate that the browser is told to put up with.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { says, shows, until } from "../harness.mjs";

// Not where whoever runs the tests keeps theirs.
const state = mkdtempSync(path.join(tmpdir(), "enchufe-"));
process.env.XDG_STATE_HOME = state;
process.on("exit", () => rmSync(state, { recursive: true, force: true }));

/** The first match in what the program says. */
const said = async (server, pattern) =>
  (await until(`it says ${pattern}`, () => pattern.exec(server.child.said ?? "")))[1];

export const cases = {
  "over TLS the page of a feed is live": async (test) => {
    const feed = test.run("feed", "--listen", "https://127.0.0.1:0", "--tls-dev", "-");
    const url = await said(feed, /page +(https:\S+)/);
    const page = await test.page(url, { ignoreHTTPSErrors: true });
    await says(page, /Live/);
    feed.say("over TLS");
    await shows(page, "over TLS");
  },

  "over TLS the page of a service works": async (test) => {
    const service = test.run("serve", "clock", "wss://127.0.0.1:0", "--tls-dev", "--quiet", "--interval", "100ms");
    const address = await said(service, /listening on (wss:\S+)/);
    const page = await test.page(address.replace("wss", "https"), { ignoreHTTPSErrors: true });
    await says(page, /Live/);
  },
};
