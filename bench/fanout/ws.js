// A feed on `ws`: each line of standard input goes to all viewers.
const { WebSocketServer } = require("ws");
const lines = require("./lines.js");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  backlog: 4096,
  perMessageDeflate: false,
});
lines((line) => {
  for (const viewer of server.clients) viewer.send(line);
});
