// Drives the page of a built enchufe in Chromium and says what works.
//
//   ENCHUFE_BIN=target/debug/enchufe node tests/page/run.mjs [PART OF A CASE'S NAME]
//
// ENCHUFE_SCREENSHOTS names a folder for pictures. The last line counts; the exit code is 0 if all passed.

import { Harness } from "./harness.mjs";

const PARTS = ["catalogue", "parts", "wire", "messages", "reading", "connection", "plots", "language", "access", "safety", "services", "tls", "guide"];
const CASE_MAX_MS = 60_000;

/** The cases that run at the same time: most of each is waiting. */
const AT_ONCE = Number(process.env.ENCHUFE_PAGE_JOBS ?? 3);

const wanted = process.argv[2] ?? "";
const waiting = [];
for (const part of PARTS) {
  const { cases } = await import(`./cases/${part}.mjs`);
  waiting.push(...Object.entries(cases).filter(([name]) => name.includes(wanted)));
}
let passed = 0;
let failed = 0;
const harness = await Harness.start();
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await report(...next);
}));
await harness.stop();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;

async function report(name, run) {
  const begun_ms = performance.now();
  const problem = await outcome(run);
  const took_s = ((performance.now() - begun_ms) / 1000).toFixed(1);
  console.log(`${problem ? "FAIL" : "ok  "} ${name} (${took_s} s)`);
  if (problem) {
    failed += 1;
    const where = String(problem.stack).split("\n").findLast((line) => line.includes("/cases/")) ?? "";
    console.log(`${problem.message}\n${where.trim()}`.replace(/^/gm, "     "));
  } else {
    passed += 1;
  }
}

/** What went wrong in one case, or nothing. */
async function outcome(run) {
  const test = harness.begin();
  let alarm;
  const late = new Promise((_, reject) => {
    alarm = setTimeout(() => reject(new Error(`not done within ${CASE_MAX_MS / 1000} s`)), CASE_MAX_MS);
  });
  try {
    await Promise.race([run(test), late]);
    await test.clean();
    return null;
  } catch (error) {
    await test.picture(`failed-${failed + 1}`).catch(() => {});
    return error;
  } finally {
    clearTimeout(alarm);
    await test.end();
  }
}
