// Swagger UI works under its Content-Security-Policy: it lists every operation and sends the API token.

import assert from "node:assert/strict";
import { test } from "node:test";
import { json, open, service, simulator } from "./harness.js";

const TOKEN = "a-token-of-this-test";

test("the documentation works under its policy and starts an update with the token", async () => {
  const served = await service(await simulator("--shows", "300"), { settings: { API_TOKEN: TOKEN } });
  const page = await open(served);
  await page.goto("docs/");
  await page.locator(".opblock").nth(14).waitFor();
  await page.getByRole("button", { name: "Authorize" }).first().click();
  await page.getByRole("textbox", { name: "auth-bearer-value" }).fill(TOKEN);
  await page.getByRole("button", { name: "Apply credentials" }).click();
  await page.getByRole("button", { name: "Close" }).last().click();
  const update = page.locator("#operations-pipeline-update");
  await update.locator("button").first().click();
  await update.getByRole("button", { name: "Try it out" }).click();
  await update.getByRole("button", { name: "Execute" }).click();
  await update.locator(".live-responses-table").getByText("202", { exact: true }).waitFor();
  assert.equal((await json(`${served.url}/pipeline/runs`)).runs.length, 1);
  assert.deepEqual(page.errors, []);
});
