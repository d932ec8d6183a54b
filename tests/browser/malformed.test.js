// Shows whose values have unexpected types, which the API returns as they are.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { json, open, service, simulator, update } from "./harness.js";

const CATALOG = fileURLToPath(new URL("malformed", import.meta.url));

let served;
let shows;
before(async () => {
  served = await service(await simulator("--data", CATALOG));
  const status = await update(served, "years=200");
  assert.equal(status.state, "succeeded");
  ({ shows } = await json(`${served.url}/shows?limit=100`));
  // The columns can hold all values of two of them.
  assert.equal(status.malformed_shows, shows.length - 2);
});

test("lists and charts show malformed shows", async () => {
  const page = await open(served, "shows");
  const items = page.locator(".list li");
  await items.nth(shows.length - 1).waitFor();
  assert.equal(await items.count(), shows.length);
  for (const name of await items.locator(".show-name").allTextContents()) assert.notEqual(name.trim(), "");
  for (const place of ["top", "charts", "export", "runs"]) {
    await page.goto(`./#/${place}`);
    await page.locator("main[id=main] h1").waitFor();
  }
  assert.deepEqual(page.errors, []);
});

test("each malformed show has its page", async () => {
  const page = await open(served, "shows");
  for (const { id } of shows) {
    await page.goto(`./#/shows/${id}`);
    await page.locator(".about-line").waitFor();
    await page.locator(`.about a[href="https://www.tvmaze.com/shows/${id}"]`).waitFor();
  }
  assert.deepEqual(page.errors, []);
});
