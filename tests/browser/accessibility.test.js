// Accessibility checks with axe, keyboard navigation, and no horizontal overflow on a small screen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import { json, open, service, simulator, update } from "./harness.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// Pixels. Links within text may be lower.
const MIN_TARGET = 44;
const MIN_INLINE_TARGET = 24;
const APPEARANCES = [
  { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  { colorScheme: "dark", viewport: { width: 360, height: 740 } },
];

let served;
let views;
before(async () => {
  const upstream = await simulator("--shows", "2300", "--fault", "status:403*1@/shows?page=3");
  served = await service(upstream, { settings: { DETAILS: "status=Running&min_rating=7" } });
  assert.equal((await update(served)).state, "failed");
  const { request_id: run } = await update(served);
  const [top] = await json(`${served.url}/shows/top_shows?limit=1`);
  const { shows: [detailed] } = await json(`${served.url}/shows?status=Running&min_rating=7&limit=1`);
  const [{ airdate }] = await json(`${served.url}/shows/${detailed.id}/episodes`);
  views = [
    ["runs", "Failed"],
    [`runs/${run}`, "Published in"],
    ["runs/nonsense", "not found"],
    ["shows", "40 of"],
    ["shows?view=table", "40 of"],
    ["shows?genre=darma", "Did you mean"],
    ["shows?q=zzzzz&genre=Drama", "No matching shows"],
    [`shows/${top.id}`, top.name],
    ["shows/999999999", "not found"],
    [`shows/${detailed.id}`, "Season 1"],
    [`schedule?date=${airdate}`, detailed.name],
    ["schedule?date=1900-01-01", "No episodes this week"],
    ["top", "Multiple roles"],
    ["charts", "Premiere year"],
    ["export", "Snapshot 1"],
    ["nowhere", "no page at this address"],
  ];
});

for (const appearance of APPEARANCES) {
  test(`axe finds nothing serious and nothing is cut off, ${appearance.colorScheme} and ${appearance.viewport.width} px wide`, async () => {
    const page = await open(served, "runs", appearance);
    await page.evaluate(AXE);
    for (const [place, text] of views) {
      await page.goto(`./#/${place}`);
      await page.locator("main").getByText(text).first().waitFor();
      await page.locator("main [aria-busy]").waitFor({ state: "detached" });
      await page.locator("main details").evaluateAll((all) => { for (const details of all) details.open = true; });
      await checked(page, place);
    }
    assert.deepEqual(page.errors, []);
  });
}

test("axe finds nothing serious before the first run, during a run and without a connection", async () => {
  const upstream = await simulator("--shows", "6000", "--latency", "300");
  const slow = await service(upstream);
  const page = await open(slow);
  await page.evaluate(AXE);
  await page.getByText("No updates yet").waitFor();
  await checked(page, "no runs yet");
  await page.getByRole("link", { name: "Top", exact: true }).click();
  await page.getByText("No data yet").waitFor();
  await checked(page, "top, no data yet");
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await page.getByRole("button", { name: "Start update" }).click();
  await page.locator(".run").getByText("Fetching all shows").waitFor();
  await checked(page, "a run in progress");
  await slow.stop();
  await page.getByText("Connection lost").waitFor();
  await checked(page, "connection lost");
});

test("the keyboard alone reaches the content, a show and the way back", async () => {
  const page = await open(served, "shows");
  await page.locator(".list li").first().waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "MAIN", "the skip link skips");
  assert.match(page.url(), /#\/shows$/, "and leaves the address alone");
  await page.keyboard.press("Tab");
  await page.keyboard.type("the");
  await page.waitForURL(/q=the$/);
  await page.locator(".results [aria-busy]").waitFor({ state: "detached" });
  await page.locator(".list .show").first().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Cast" }).waitFor();
  assert.equal(await focused(page), "H1");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Shows", level: 1 }).waitFor();
});

test("nothing is cut off on a phone before the first update", async () => {
  const empty = await service({ url: "http://127.0.0.1:1" });
  const page = await open(empty, "runs", APPEARANCES[1]);
  await page.evaluate(AXE);
  for (const [place, text] of [["schedule", "No episodes are stored"], ...["shows", "top", "charts", "export"].map((view) => [view, "No data yet"])]) {
    await page.goto(`./#/${place}`);
    await page.locator("main").getByText(text).first().waitFor();
    await checked(page, place);
  }
  assert.deepEqual(page.errors, []);
});

test("whatever can be tapped on a phone is high enough", async () => {
  const page = await open(served, "runs", { viewport: { width: 390, height: 844 }, hasTouch: true });
  for (const [place, text] of views) {
    await page.goto(`./#/${place}`);
    await page.locator("main").getByText(text).first().waitFor();
    await page.locator("main [aria-busy]").waitFor({ state: "detached" });
    await page.locator("main details").evaluateAll((all) => { for (const details of all) details.open = true; });
    const low = await page.locator("a, button, summary, input, select").evaluateAll((all, [alone, inText]) => all
      .filter((element) => element.checkVisibility() && !element.matches(".skip-link, .visually-hidden"))
      .map((element) => ({ element, height: element.getBoundingClientRect().height }))
      .filter(({ element, height }) => height < (element.matches("footer a, dd a, p:not(.back, .links) > a") ? inText : alone))
      .map(({ element, height }) => `${height} px: ${element.outerHTML}`), [MIN_TARGET, MIN_INLINE_TARGET]);
    assert.deepEqual(low, [], place);
  }
});

const focused = (page) => page.evaluate(() => document.activeElement.tagName);

async function checked(page, place) {
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const messages = found.map(({ id, nodes }) => `${id}, ${nodes.length} times: ${nodes[0].html} ${nodes[0].failureSummary}`);
  assert.deepEqual(messages, [], place);
  const others = violations.filter(({ impact }) => !["serious", "critical"].includes(impact)).map(({ id, impact }) => `${impact} ${id}`);
  if (process.env.AXE_ALL) console.log(place, others);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${place} is ${overflow} px too wide`);
}
