// The schedule: weeks, filters and the address of the calendar; and the episodes of a show.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { json, open, service, simulator, update } from "./harness.js";

let served;
let show;
let episodes;
before(async () => {
  served = await service(await simulator("--shows", "1000"), { settings: { DETAILS: "status=Running" } });
  assert.equal((await update(served)).state, "succeeded");
  ({ shows: [show] } = await json(`${served.url}/shows?status=Running&country=US&limit=1`));
  episodes = await json(`${served.url}/shows/${show.id}/episodes`);
});

const week = (page) => page.getByRole("navigation", { name: "Week" });
const listed = (page) => page.locator(".airings a").allTextContents();
const idle = (page) => page.locator(".days:not([aria-busy])").waitFor();

test("a week has its episodes, and the ones before and after are a click away", async () => {
  const { airdate } = episodes[0];
  const page = await open(served, `schedule?date=${airdate}&country=US`);
  await page.getByRole("link", { name: show.name }).first().waitFor();
  const monday = new Date(`${airdate}T00:00:00Z`);
  monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
  const names = async () => {
    const found = await json(`${served.url}/schedule?date=${monday.toISOString().slice(0, 10)}&days=7&country=US`);
    return found.map((episode) => episode.show.name);
  };
  assert.deepEqual(await listed(page), await names());
  const label = await week(page).getByRole("status").textContent();
  for (const [link, days] of [["Next week", 7], ["Previous week", -7]]) {
    await week(page).getByRole("link", { name: link }).click();
    monday.setUTCDate(monday.getUTCDate() + days);
    await page.waitForURL((url) => url.hash.includes(`date=${monday.toISOString().slice(0, 10)}`) && url.hash.includes("country=US"));
    await idle(page);
    assert.deepEqual(await listed(page), await names(), link);
  }
  assert.equal(await week(page).getByRole("status").textContent(), label);
  await week(page).getByRole("link", { name: "This week" }).click();
  await page.waitForURL((url) => url.hash === "#/schedule?country=US");
  assert.deepEqual(page.errors, []);
});

test("an empty week links to the next week that has episodes, or else to the last one", async () => {
  const rows = (await (await fetch(`${served.url}/export/episodes.ndjson`)).text()).trim().split("\n");
  const sorted = rows.map((row) => JSON.parse(row).airdate).filter(Boolean).sort();
  const day = (date, days) => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
  for (const [date, label, expected] of [
    [day(sorted[0], -14), "Next week with episodes", sorted[0]],
    [day(sorted.at(-1), 90), "Last week with episodes", sorted.at(-1)],
  ]) {
    const page = await open(served, `schedule?date=${date}`);
    await page.getByText("No episodes this week").waitFor();
    await page.getByText("None of the stored episodes airs this week.").waitFor();
    await page.getByRole("link", { name: label }).click();
    await page.locator(".airings").first().waitFor();
    const days = await page.locator(".days h2").evaluateAll((all) => all.map(({ id }) => id.replace("day-", "")));
    assert.ok(days.includes(expected), `${days} ${expected}`);
    assert.deepEqual(page.errors, []);
  }
});

test("the calendar has the filters, and its address can be copied", async () => {
  const page = await open(served, `schedule?date=${episodes[0].airdate}`, { permissions: ["clipboard-read", "clipboard-write"] });
  const address = page.getByLabel("Address of the calendar");
  assert.equal(await address.inputValue(), `${served.url}/calendar.ics`);
  await page.getByLabel("Country").selectOption("United States");
  await page.getByRole("button", { name: "Country: United States" }).waitFor();
  const url = await address.inputValue();
  assert.equal(url, `${served.url}/calendar.ics?country=United+States`);
  assert.match(await (await fetch(url)).text(), /^BEGIN:VCALENDAR\r\n/);
  assert.equal(await page.getByRole("link", { name: "Subscribe" }).getAttribute("href"), url.replace("http:", "webcal:"));
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByText("Address copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), url);
  assert.deepEqual(page.errors, []);
});

test("a show has its episodes by season, and its cast", async () => {
  const page = await open(served, `shows/${show.id}`);
  await page.getByRole("heading", { name: "Episodes" }).waitFor();
  const seasons = new Set(episodes.map(({ season }) => season));
  assert.equal(await page.locator(".season").count(), seasons.size);
  await page.locator(".season").evaluateAll((all) => { for (const details of all) details.open = true; });
  const titles = await page.locator(".episodes a").allTextContents();
  assert.deepEqual(titles, episodes.map(({ name }) => name));
  await page.getByRole("heading", { name: "Cast" }).waitFor();
  assert.equal(await page.getByText("The cast is stored for").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("without stored episodes, the schedule says how to have them", async () => {
  const plain = await service(await simulator("--shows", "100"));
  await update(plain);
  const page = await open(plain, "schedule");
  await page.getByText("No episodes are stored").waitFor();
  await page.getByText("DETAILS=language=English&status=Running").waitFor();
  assert.deepEqual(page.errors, []);
});
