// A feed on uWebSockets.js, with its own publish and subscribe.
const { App } = require("@trufflesuite/uws-js-unofficial");
const lines = require("./lines.js");

const app = App();
app.ws("/*", {
  compression: 0,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  open: (viewer) => viewer.subscribe("feed"),
});
app.listen("127.0.0.1", Number(process.argv[2]), (socket) => {
  if (!socket) process.exit(1);
});
lines((line) => app.publish("feed", line));
