// Calls back with each line of standard input.
module.exports = (take) => {
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text) => {
    const all = (rest + text).split("\n");
    rest = all.pop();
    for (const line of all) take(line);
  });
};
