// A service with an API token: the dashboard prompts for it once, and again if it is rejected.

import assert from "node:assert/strict";
import { test } from "node:test";
import { json, open, service, simulator } from "./harness.js";

const TOKEN = "a-token-of-this-test";
const settings = { API_TOKEN: TOKEN };

const runsOf = async ({ url }) => (await json(`${url}/pipeline/runs`)).runs.length;

test("the token is asked for once and goes with whatever changes something", async () => {
  const served = await service(await simulator("--shows", "6000", "--latency", "100"), { settings });
  const page = await open(served);
  await page.getByText("No updates yet").waitFor();
  const start = page.getByRole("button", { name: "Start update" });
  const dialog = page.getByRole("dialog", { name: "API token" });
  await page.getByRole("button", { name: "Plan" }).click();
  await dialog.getByText("This service requires an API token").waitFor();
  assert.equal(await runsOf(served), 0);
  await dialog.getByLabel("Token", { exact: true }).fill("not-the-token-of-this-test");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.getByText("Invalid API token").waitFor();
  await dialog.getByLabel("Token", { exact: true }).fill(TOKEN);
  await page.keyboard.press("Enter");
  await page.getByText(/^The update would send \d+ requests: /).waitFor();
  assert.equal(await runsOf(served), 0);
  await start.click();
  const run = page.getByRole("region", { name: "Run", exact: true });
  await run.getByText("Fetching all shows").waitFor();
  await page.reload();
  await run.getByRole("button", { name: "Cancel" }).click();
  await run.getByText("Cancelled; published data is unchanged").waitFor();
  assert.equal(await dialog.count(), 0);
  assert.equal(await runsOf(served), 1);
  assert.deepEqual(page.errors, []);
});

test("without the token, no update starts, and the page says what is missing", async () => {
  const served = await service(await simulator("--shows", "300"), { settings });
  const page = await open(served);
  await page.getByRole("button", { name: "Start update" }).click();
  const dialog = page.getByRole("dialog", { name: "API token" });
  await dialog.getByLabel("Token", { exact: true }).fill("né");
  await dialog.getByRole("button", { name: "Continue" }).click();
  assert.ok(await dialog.isVisible(), "what no header can carry is not taken");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("An API token is required.").waitFor();
  assert.equal(await dialog.count(), 0);
  assert.equal(await runsOf(served), 0);
  await page.getByRole("button", { name: "Start update" }).click();
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(page.errors, []);
});
