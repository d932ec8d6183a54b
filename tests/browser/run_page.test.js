// The page of one run: its timeline, what started it, its log, and starting it again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { json, open, service, simulator, update } from "./harness.js";

const timelineOf = (page) => page.getByRole("region", { name: "Timeline" });

test("an ended run shows its steps, what started it and its log, and can be started again", async () => {
  const served = await service(await simulator("--shows", "2300", "--fault", "status:500*1@/shows?page=3"));
  const run = await update(served, "years=7&top=5&mode=full");
  assert.equal(run.state, "succeeded");
  const page = await open(served, `runs/${run.request_id}`);
  const rows = timelineOf(page).getByRole("listitem");
  await rows.first().waitFor();
  const labels = (await rows.allTextContents()).map((text) => text.replace(/[\d.,]+ (s|min|h).*$/, ""));
  assert.deepEqual(labels, ["Wait", "Plan", "Fetch shows", "Rank", "Fetch casts", "Publish"]);
  await page.getByText("A request: the dashboard or another client of the API").waitFor();
  const log = page.getByRole("region", { name: "Log lines" });
  for (const line of ["run started", "step began: Publishing", "retrying request", "run ended state=succeeded"]) {
    await log.getByText(line).first().waitFor();
  }

  await page.getByRole("button", { name: "Run again with these parameters" }).click();
  await page.waitForURL((url) => /#\/runs\/[0-9a-f-]{36}$/.test(url.hash) && !url.hash.endsWith(run.request_id));
  await page.locator('.run progress[value="100"]').waitFor();
  const { runs: [again] } = await json(`${served.url}/pipeline/runs`);
  assert.ok(page.url().endsWith(again.request_id));
  assert.deepEqual([again.years, again.top, again.mode, again.trigger], [7, 5, "full", "http"]);
  assert.deepEqual(page.errors, []);
});

test("a run under way marks its step, and its log grows", async () => {
  const served = await service(await simulator("--shows", "6000", "--latency", "100"));
  const { request_id: run } = await json(`${served.url}/pipeline/update?mode=full`, { method: "POST" });
  const page = await open(served, `runs/${run}`);
  await timelineOf(page).locator("[aria-current=step]").getByText("Fetch shows").waitFor();
  const log = page.getByRole("region", { name: "Log lines" });
  await log.getByText("step began: Fetching all shows").waitFor();
  const again = page.getByRole("button", { name: "Run again with these parameters" });
  assert.equal(await again.isVisible(), false);
  await page.getByRole("button", { name: "Cancel" }).click();
  await log.getByText("run ended state=cancelled").waitFor();
  await again.waitFor();
  assert.equal(await timelineOf(page).locator("[aria-current]").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("an interruption is part of the timeline, and what an earlier version did not record is unknown", async () => {
  const served = await service(await simulator("--shows", "300"));
  const status = await update(served);
  const page = await open(served, "export");
  const show = async (changes) => {
    await page.route("**/pipeline/status/*", (route) => route.fulfill({ json: { status: { ...status, ...changes }, signature: "1" } }));
    await page.route("**/pipeline/runs?*", (route) => route.fulfill({ json: { runs: [], next_run_at: null } }));
    await page.route("**/log", (route) => route.fulfill({ json: { lines: [], omitted: 0 } }));
    await page.goto(`./#/runs/${status.request_id}`);
    await page.reload();
  };
  const step = (step, start, end) => ({ step, started_at: `2026-01-01T00:00:${start}Z`, finished_at: `2026-01-01T00:00:${end}Z` });
  await show({ attempt: 2, trigger: "schedule", steps: [step("Planning", "01", "03"), step("Planning", "33", "35")] });
  const rows = timelineOf(page).getByRole("listitem");
  await rows.nth(2).waitFor();
  assert.deepEqual(await rows.allTextContents(), ["Plan2 s", "Interrupted30 s", "Plan2 s"]);
  await page.getByText("The schedule", { exact: true }).waitFor();

  await show({ trigger: null, steps: [] });
  await page.getByText("Unknown", { exact: true }).waitFor();
  await page.getByText("No log lines are available.").waitFor();
  assert.equal(await timelineOf(page).count(), 0);
  assert.deepEqual(page.errors, []);
});
