// The parts of the page that only reckon, where they run.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { open, service, simulator } from "./support.js";

let page;
before(async () => {
  page = await open(await service(await simulator("--shows", "300")), "data");
});

// The pace after each status, given as second and requests.
const paces = (...statuses) => page.evaluate(async (all) => {
  const { Pace } = await import("./page/pace.js");
  const pace = new Pace();
  return all.map(([second, requests]) => {
    pace.take({ updated_at: new Date(1_800_000_000_000 + second * 1000).toISOString(), requests });
    return pace.requestsPerSecond;
  });
}, statuses);

const words = (name, values) => page.evaluate(async ([called, all]) => {
  const { [called]: word } = await import("./page/format.js");
  return all.map((value) => word(value));
}, [name, values]);

test("the pace is that of the last fifteen seconds", async () => {
  assert.deepEqual(await paces([0, 0], [5, 10], [15, 110], [40, 210], [45, 310]), [null, 2, 110 / 15, 4, 20]);
});

test("times are told as precisely as they matter", async () => {
  assert.deepEqual(await words("duration", [0.42, 7, 59.6, 61, 3660]), ["0.4 s", "7 s", "1 min 0 s", "1 min 1 s", "1 h 1 min"]);
});

test("the years of a show are those that are known", async () => {
  assert.deepEqual(await words("years", [
    { premiered: "2011-04-17", ended: "2019-05-19" },
    { premiered: "2011-04-17", ended: "2011-05-19" },
    { premiered: "2011-04-17", ended: null, status: "Running" },
    { premiered: null },
  ]), ["2011–2019", "2011", "2011–", ""]);
});
