// The dashboard's pure functions, run in the browser.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { open, service, simulator } from "./harness.js";

let served;
let page;
before(async () => {
  served = await service(await simulator("--shows", "300"));
  page = await open(served, "export");
});

// The request rate after each status, given as [second, requests].
const rates = (...statuses) => page.evaluate(async (all) => {
  const { RequestRate } = await import("./dashboard/request_rate.js");
  const rate = new RequestRate();
  return all.map(([second, requests]) => {
    rate.record({ updated_at: new Date(1_800_000_000_000 + second * 1000).toISOString(), requests });
    return rate.perSecond;
  });
}, statuses);

const formatted = (name, values) => page.evaluate(async ([exportName, all]) => {
  const { [exportName]: format } = await import("./dashboard/format.js");
  return all.map((value) => format(value));
}, [name, values]);

test("the request rate is that of the last fifteen seconds", async () => {
  assert.deepEqual(await rates([0, 0], [5, 10], [15, 110], [40, 210], [45, 310]), [null, 2, 110 / 15, 4, 20]);
});

test("times are as precise as they matter", async () => {
  assert.deepEqual(await formatted("formatDuration", [0.42, 7, 59.6, 61, 3660]), ["0.4 s", "7 s", "1 min 0 s", "1 min 1 s", "1 h 1 min"]);
});

test("a time names its zone", async () => {
  const elsewhere = await open(served, "export", { timezoneId: "Asia/Kolkata" });
  const [before, now] = await elsewhere.evaluate(async () => {
    const { formatDateTime } = await import("./dashboard/format.js");
    return ["2025-07-31T23:05:00Z", new Date().toISOString()].map((timestamp) => formatDateTime(timestamp));
  });
  assert.equal(before, "1 Aug 2025, 04:35 GMT+5:30");
  assert.match(now, /^today, \d\d:\d\d GMT\+5:30$/);
});

test("the years of a show are those that are known", async () => {
  assert.deepEqual(await formatted("yearRange", [
    { premiered: "2011-04-17", ended: "2019-05-19" },
    { premiered: "2011-04-17", ended: "2011-05-19" },
    { premiered: "2011-04-17", ended: null, status: "Running" },
    { premiered: null },
  ]), ["2011–2019", "2011", "2011–", ""]);
});
