// Runs: start, progress, cancellation, failure, and a service that dies during a run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { json, open, service, simulator, temporaryFolder, update } from "./harness.js";

const SLOW = ["--shows", "6000", "--latency", "100"];

test("a run that is started here is followed until the bar reaches 100", async () => {
  const upstream = await simulator("--shows", "2300");
  const page = await open(await service(upstream));
  await page.getByText("No updates yet").waitFor();
  await page.getByLabel("Top shows", { exact: true }).fill("7");
  await page.getByRole("button", { name: "Start update" }).click();
  const run = page.getByRole("region", { name: "Run", exact: true });
  await run.locator('progress[value="100"]').waitFor();
  await run.getByText(/^Published in .*: [\d,]+ added$/).waitFor();
  const row = page.getByRole("table", { name: "Past runs" }).getByRole("row").nth(1);
  await row.getByText("Succeeded").waitFor();
  await page.getByRole("link", { name: "Top", exact: true }).click();
  await page.locator(".top-list > li").nth(6).waitFor();
  assert.equal(await page.locator(".top-list > li").count(), 7);
  assert.deepEqual(page.errors, []);
});

test("a plan says what an update with these parameters would send, until they change", async () => {
  const upstream = await simulator("--shows", "2300");
  const served = await service(upstream, { settings: { DETAILS: "status=Running" } });
  const page = await open(served);
  const plan = page.getByRole("button", { name: "Plan" });
  const message = page.locator(".message");
  await page.getByLabel("Top shows", { exact: true }).fill("7");
  await plan.click();
  await message.getByText(/^The update would send at least \d+ requests: \d+ index pages, episodes and casts of an unknown number of shows, 7 casts of top shows\. At TVmaze's limit, that takes \d+/).waitFor();
  await page.getByLabel("Top shows", { exact: true }).fill("8");
  assert.equal(await message.textContent(), "");
  await page.getByLabel("Top shows", { exact: true }).fill("0");
  await plan.click();
  assert.equal(await message.textContent(), "", "the browser refuses it");
  assert.equal((await update(served, "top=8")).state, "succeeded");
  await page.getByLabel("Top shows", { exact: true }).fill("8");
  await plan.click();
  await message.getByText("The update would send 1 request, because nothing has changed.").waitFor();
  await page.getByLabel("Mode").selectOption("full");
  await plan.click();
  await message.getByText(/^The update would send [\d,]+ requests: .* episodes and casts of [\d,]+ shows/).waitFor();
  assert.deepEqual(page.errors, []);
});

test("others wait and can be cancelled, and so can the one under way", async () => {
  const upstream = await simulator(...SLOW);
  const page = await open(await service(upstream));
  const start = page.getByRole("button", { name: "Start update" });
  await start.click();
  const run = page.getByRole("region", { name: "Run", exact: true });
  await run.getByText("Fetching all shows").waitFor();
  await page.locator("nav .progress-badge").getByText("%").waitFor();
  await page.getByLabel("Years").fill("3");
  await start.click();
  await page.locator(".message").getByText(/queue|wait/).waitFor();
  const queue = page.getByRole("region", { name: "Queue" });
  await queue.getByRole("button", { name: "Cancel" }).click();
  await queue.waitFor({ state: "detached" });
  await run.getByRole("button", { name: "Cancel" }).click();
  await run.getByText("Cancelled; published data is unchanged").waitFor();
  assert.equal(await page.getByRole("table", { name: "Past runs" }).getByText("Cancelled").count(), 2);
  assert.deepEqual(page.errors, []);
});

test("a failed run shows its whole error", async () => {
  const upstream = await simulator("--shows", "2300", "--fault", "status:403@/shows?page=3");
  const served = await service(upstream);
  const failed = await update(served);
  assert.equal(failed.state, "failed");
  const page = await open(served);
  const errors = page.getByText(failed.error, { exact: true });
  await errors.first().waitFor();
  assert.equal(await errors.count(), 2, "in the panel and in the history");
  await page.getByRole("link", { name: "Details" }).click();
  await page.getByRole("heading", { name: "Run", level: 1 }).waitFor();
  await page.getByLabel("History").waitFor({ state: "detached" });
  await page.getByText(failed.error, { exact: true }).waitFor();
  await page.getByText(failed.request_id).waitFor();
  const heights = await page.locator("pre.error").evaluate((error) => [error.scrollHeight, error.clientHeight]);
  assert.equal(heights[0], heights[1], "nothing of it is hidden");
  assert.deepEqual(page.errors, []);
});

test("a killed service shows as lost, and its run resumes once it is back", async () => {
  const upstream = await simulator(...SLOW);
  const folder = temporaryFolder();
  const first = await service(upstream, { folder });
  const page = await open(first);
  await page.getByRole("button", { name: "Start update" }).click();
  const run = page.getByRole("region", { name: "Run", exact: true });
  await run.getByText(/of 2\d$/).waitFor();
  await first.stop();
  const offline = page.getByText("Connection lost. Reconnecting…");
  await offline.waitFor();
  const second = await service(upstream, { folder, port: new URL(first.url).port });
  await offline.waitFor({ state: "hidden" });
  await run.getByText("resumed after an interruption").waitFor();
  await run.locator('progress[value="100"]').waitFor();
  const { runs } = await json(`${second.url}/pipeline/runs`);
  assert.deepEqual(runs.map(({ state }) => state), ["succeeded"]);
  assert.deepEqual(page.errors, []);
});

test("a page that was opened before the service answers fills itself", async () => {
  const upstream = await simulator("--shows", "300");
  const folder = temporaryFolder();
  const first = await service(upstream, { folder });
  await update(first);
  const page = await open(first, "export");
  await page.getByText("Snapshot 1").waitFor();
  await first.stop();
  await page.getByRole("link", { name: "Charts" }).click();
  await page.getByText("The service is not responding.", { exact: true }).waitFor();
  await service(upstream, { folder, port: new URL(first.url).port });
  await page.getByRole("heading", { name: "Premiere year" }).waitFor();
  assert.deepEqual(page.errors, []);
});

test("what a run may say beyond the usual is shown", async () => {
  const served = await service(await simulator("--shows", "300"));
  const { request_id: run } = await update(served);
  const { runs: [status] } = await json(`${served.url}/pipeline/runs`);
  const now = { ...status, state: "running", running: true, step: "Publishing", progress: 97, finished_at: null, attempt: 2, rate_limited: 1200, revision: status.revision + 1 };
  const waiting = { ...status, request_id: run.replace(/^./, (digit) => (digit === "0" ? "1" : "0")), state: "queued", step: "Queued", progress: 0, started_at: null, finished_at: null, position: 1 };
  const page = await open(served, "export");
  await page.route("**/pipeline/runs?*", (route) => route.fulfill({ json: { runs: [waiting, now], next_run_at: "2099-12-31T12:00:00Z" } }));
  await page.route("**/events", (route) => route.fulfill({ contentType: "text/event-stream", body: `data: ${JSON.stringify({ status: now })}\n\n` }));
  await page.reload();
  await page.locator("nav .progress-badge").getByText("97%").waitFor();
  await page.getByRole("link", { name: /^Runs/ }).click();
  for (const text of ["resumed after an interruption", "Rate-limited by TVmaze 1,200 times", "1 run ahead", "Next scheduled update: 31 Dec 2099"]) {
    await page.getByText(text).waitFor();
  }
  assert.equal(await page.locator(".steps [aria-current]").textContent(), "Publish");
  assert.deepEqual(page.errors, []);
});

test("a run that follows another one shows only its own counts, and its message goes when it ends", async () => {
  const upstream = await simulator(...SLOW);
  const served = await service(upstream);
  await update(served);
  const page = await open(served);
  const run = page.getByRole("region", { name: "Run", exact: true });
  const names = () => run.locator(".counts dt:visible").allTextContents();
  const message = page.locator(".message");
  const changes = ["Added", "Changed", "Deleted", "Unchanged"];
  await run.getByText("Unchanged", { exact: true }).waitFor();
  assert.ok((await names()).includes("Duration"));

  await page.getByLabel("Mode").selectOption("full");
  const start = page.getByRole("button", { name: "Start update" });
  await start.click();
  await run.getByText("Fetching all shows").waitFor();
  await message.getByText(/./).waitFor();
  assert.deepEqual((await names()).filter((name) => [...changes, "Duration"].includes(name)), []);
  assert.ok((await names()).includes("Elapsed"));
  await run.getByRole("button", { name: "Cancel" }).click();
  await run.getByText("Cancelled; published data is unchanged").waitFor();
  assert.deepEqual((await names()).filter((name) => [...changes, "Elapsed"].includes(name)), []);
  assert.ok((await names()).includes("Duration"));
  await message.getByText(/./).waitFor({ state: "hidden" });

  await start.click();
  await message.getByText(/./).waitFor();
  await run.locator('progress[value="100"]').waitFor();
  await message.getByText(/./).waitFor({ state: "hidden" });
  assert.deepEqual((await names()).filter((name) => ["Elapsed", "Duration"].includes(name)), ["Duration"]);
  assert.deepEqual(page.errors, []);
});
