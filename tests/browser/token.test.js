// A service with an API token: the page asks for it once, and says when it is a wrong one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { json, open, service, simulator } from "./support.js";

const TOKEN = "a-token-of-this-test";
const settings = { API_TOKEN: TOKEN };

const runsOf = async ({ url }) => (await json(`${url}/pipeline/runs`)).runs.length;

test("the token is asked for once and goes with whatever changes something", async () => {
  const served = await service(await simulator("--shows", "6000", "--latency", "100"), { settings });
  const page = await open(served);
  await page.getByText("No update yet").waitFor();
  const begin = page.getByRole("button", { name: "Start an update" });
  const dialog = page.getByRole("dialog", { name: "API token" });
  await begin.click();
  await dialog.getByText("This service asks for a token").waitFor();
  assert.equal(await runsOf(served), 0);
  await dialog.getByLabel("Token", { exact: true }).fill("not-the-token-of-this-test");
  await dialog.getByRole("button", { name: "Go on" }).click();
  await dialog.getByText("That is not this service's token").waitFor();
  await dialog.getByLabel("Token", { exact: true }).fill(TOKEN);
  await page.keyboard.press("Enter");
  const run = page.getByRole("region", { name: "Run", exact: true });
  await run.getByText("Fetching all shows").waitFor();
  await page.reload();
  await run.getByRole("button", { name: "Cancel" }).click();
  await run.getByText("Cancelled: no table was changed").waitFor();
  assert.equal(await dialog.count(), 0);
  assert.equal(await runsOf(served), 1);
  assert.deepEqual(page.errors, []);
});

test("who does not know the token reads on, and is told what was missing", async () => {
  const served = await service(await simulator("--shows", "300"), { settings });
  const page = await open(served);
  await page.getByRole("button", { name: "Start an update" }).click();
  const dialog = page.getByRole("dialog", { name: "API token" });
  await dialog.getByLabel("Token", { exact: true }).fill("né");
  await dialog.getByRole("button", { name: "Go on" }).click();
  assert.ok(await dialog.isVisible(), "what no header can carry is not taken");
  await dialog.getByRole("button", { name: "Not now" }).click();
  await page.getByText("Whoever changes something must know the service's API token").waitFor();
  assert.equal(await dialog.count(), 0);
  assert.equal(await runsOf(served), 0);
  await page.getByRole("button", { name: "Start an update" }).click();
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(page.errors, []);
});
