// Shows: search, filters, details, and navigation with the back button.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { json, open, service, simulator, update } from "./harness.js";

let served;
before(async () => {
  served = await service(await simulator("--shows", "2300"));
  await update(served);
});

const names = (page) => page.locator(".list .show-name").evaluateAll((all) => all.map((name) => name.firstChild.data));
const idle = (page) => page.locator(".results [aria-busy]").waitFor({ state: "detached" });

test("a search while typing, a filter, a show, and the way back", async () => {
  const [wanted] = (await json(`${served.url}/shows?min_rating=5&genre=Drama&limit=1&sort=-rating`)).shows;
  const word = /[a-z]{4,}/i.exec(wanted.name)[0];
  const page = await open(served, "shows");
  await page.locator(".list li").nth(39).waitFor();

  await page.getByLabel("Search shows").pressSequentially(word.toLowerCase());
  await page.waitForURL((url) => url.hash.includes(`q=${word.toLowerCase()}`));
  await page.getByLabel("Genre").selectOption("Drama");
  await page.getByRole("button", { name: "Genre: Drama" }).waitFor();
  await idle(page);
  const found = await names(page);
  const { shows } = await json(`${served.url}/shows?q=${word}&genre=Drama&limit=40&fields=name`);
  assert.deepEqual(found, shows.map(({ name }) => name));

  await page.locator(".list .show").nth(found.indexOf(wanted.name)).click();
  await page.getByRole("heading", { name: wanted.name, level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "the focus is on what is new");

  await page.goBack();
  await page.getByRole("button", { name: "Genre: Drama" }).waitFor();
  assert.deepEqual(await names(page), found);
  await page.goBack();
  await page.getByRole("button", { name: "Genre: Drama" }).waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("Search shows").inputValue(), word.toLowerCase());
  await page.goBack();
  await page.waitForURL((url) => url.hash === "#/shows");
  assert.equal(await page.getByLabel("Search shows").inputValue(), "", "a word was one step");
  assert.deepEqual(page.errors, []);
});

test("facets follow the other filters, and the total those of all", async () => {
  const page = await open(served, "shows?genre=drama");
  await page.locator(".list li").first().waitFor();
  const { total, facets } = await json(`${served.url}/shows?genre=drama&facets=genre,status&limit=1`);
  await page.getByText(`of ${total.toLocaleString("en-GB")} shows`).waitFor();
  const shown = (facet) => page.locator(`select[name=${facet}] option`).allTextContents();
  const expected = (facet) => ["Any", ...facets[facet].map(({ value, count }) => `${value ?? "None"} (${count.toLocaleString("en-GB")})`)];
  assert.deepEqual(await shown("status"), expected("status"));
  assert.deepEqual(await shown("genre"), expected("genre"));
  assert.equal(await page.getByLabel("Genre").inputValue(), "Drama", "in any case");
  await page.getByLabel("Genre").selectOption("-");
  await page.getByRole("button", { name: "Genre: None" }).waitFor();
  await page.waitForURL((url) => url.hash === "#/shows?genre=-");
  await idle(page);
  assert.equal(await page.getByLabel("Genre").locator("option:checked").textContent(), expected("genre").find((text) => text.startsWith("None")));
  assert.deepEqual(page.errors, []);
});

test("a table is sorted by its headers, and is in the address", async () => {
  const page = await open(served, "shows?language=English");
  await page.getByRole("button", { name: "Table" }).click();
  await page.waitForURL(/view=table/);
  const table = page.getByRole("region", { name: "Table of shows" });
  const header = (name) => table.getByRole("columnheader", { name });
  const names = () => table.locator("tbody th").allTextContents();
  for (const [name, sort, order] of [["Rating", "-rating", "descending"], ["Rating", "rating", "ascending"], ["Name", "name", "ascending"]]) {
    await header(name).getByRole("button").press("Enter");
    await table.locator(`th[aria-sort=${order}]`).filter({ hasText: name }).waitFor();
    const { shows } = await json(`${served.url}/shows?language=English&sort=${sort}&limit=40&fields=name`);
    assert.deepEqual(await names(), shows.map((show) => show.name), sort);
    assert.equal(await page.evaluate(() => document.activeElement.textContent.replace(/ [↑↓]/u, "")), name, "the focus stays");
  }
  await page.getByRole("button", { name: "Show more" }).click();
  await table.locator("tbody tr").nth(79).waitFor();
  await page.getByRole("button", { name: "Cards" }).click();
  await page.locator(".list li").nth(79).waitFor();
  assert.deepEqual(page.errors, []);
});

test("the current result can be downloaded", async () => {
  const page = await open(served, "shows?q=the&genre=drama&max_rating=7&sort=name&view=table");
  const link = page.getByRole("link", { name: "Download these shows as CSV" });
  await link.waitFor();
  const [downloaded] = await Promise.all([page.waitForEvent("download"), link.click()]);
  assert.equal(downloaded.suggestedFilename(), "all_shows.csv");
  const { total } = await json(`${served.url}/shows?q=the&genre=drama&max_rating=7&limit=1`);
  for (const extension of ["ndjson", "parquet"]) {
    const href = await page.locator(`.downloads a[href*=".${extension}?"]`).evaluate((element) => element.href);
    const body = await (await fetch(href)).text();
    if (extension === "ndjson") assert.equal(body.split("\n").length - 1, total);
  }
});

test("a value that no show has comes with similar ones", async () => {
  const page = await open(served, "shows?genre=darma&language=English");
  await page.getByText("No show has the genre “darma”.").waitFor();
  await page.getByRole("link", { name: "Drama" }).click();
  await page.waitForURL((url) => url.hash === "#/shows?genre=Drama&language=English");
  await page.locator(".list li").first().waitFor();
});

test("an address has all that is seen", async () => {
  const page = await open(served, "shows?language=English&premiered_from=2010&min_rating=7&sort=-rating");
  await page.locator(".list li").first().waitFor();
  const { shows } = await json(`${served.url}/shows?language=English&premiered_from=2010&min_rating=7&sort=-rating&limit=40&fields=name`);
  assert.deepEqual(await names(page), shows.map(({ name }) => name));
  assert.equal(await page.getByLabel("Minimum rating").inputValue(), "7");
  await page.getByRole("button", { name: "Clear all" }).click();
  await page.waitForURL((url) => url.hash === "#/shows?sort=-rating");
});

test("a late answer to an earlier search is dropped", async () => {
  const page = await open(served, "shows");
  await page.locator(".list li").first().waitFor();
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(/\/shows\?.*q=the&/, async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  const search = page.getByLabel("Search shows");
  const asked = page.waitForRequest(/q=the&/);
  await search.fill("the");
  await asked;
  await search.fill("zzzzz");
  await page.getByText("No matching shows").waitFor();
  release();
  await search.fill("zzzzzz");
  await page.waitForURL(/q=zzzzzz$/);
  await idle(page);
  assert.equal(await page.locator(".list li:visible").count(), 0);
});

test("a list is read on, and found again as it was left", async () => {
  const page = await open(served, "shows?sort=name");
  await page.getByRole("button", { name: "Show more" }).click();
  await page.locator(".list li").nth(79).waitFor();
  assert.equal(new Set(await page.locator(".list .show").evaluateAll((all) => all.map(({ href }) => href))).size, 80);
  await page.locator(".list .show").nth(70).click();
  await page.getByRole("link", { name: "Back to list" }).click();
  await page.locator(".list li").nth(79).waitFor();
  await page.waitForURL(/sort=name$/);
  await page.locator(".list .show").nth(70).waitFor();
  assert.ok(await page.locator(".list .show").nth(70).evaluate((show) => show.getBoundingClientRect().top < innerHeight), "as far scrolled");
});

test("who leaves a list while it is read finds the way back to it", async () => {
  const page = await open(served, "shows");
  await page.locator(".list li").first().waitFor();
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(/\/shows\?.*genre=Drama&/, async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  const asked = page.waitForRequest(/genre=Drama&/);
  await page.getByLabel("Genre").selectOption("Drama");
  await asked;
  await page.locator(".list .show").first().click();
  release();
  await page.getByRole("link", { name: "Back to list" }).click();
  await page.waitForURL((url) => url.hash.startsWith("#/shows") && !/\d/.test(url.hash));
  await page.locator(".list li").first().waitFor();
  assert.deepEqual(page.errors, []);
});

test("a bar of a chart leads to its shows", async () => {
  const page = await open(served, "charts");
  await page.getByRole("region", { name: "Genre" }).getByRole("link", { name: "Comedy" }).click();
  await page.getByRole("button", { name: "Genre: Comedy" }).waitFor();
  await page.goBack();
  const years = page.getByRole("region", { name: "Premiere year" });
  const last = years.getByRole("link").last();
  await last.focus();
  await page.keyboard.press("ArrowLeft");
  const year = (await page.evaluate(() => document.activeElement.getAttribute("aria-label"))).slice(0, 4);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: `Premiered from: ${year}` }).waitFor();
});

test("the columns that the page tells are those of the files", async () => {
  const page = await open(served, "export");
  for (const table of ["All_Shows", "Top_Shows", "Top_Shows_Cast", "Episodes", "Show_Cast"]) {
    const card = page.getByRole("region", { name: table, exact: false }).first();
    await card.waitFor();
    const columns = await page.locator(`section[aria-labelledby="table-${table.toLowerCase()}"] tbody code`).allTextContents();
    const file = await fetch(`${served.url}/export/${table.toLowerCase()}.csv`);
    assert.deepEqual(columns, (await file.text()).split("\r\n")[0].split(","));
  }
  const links = await page.locator("a[download]").evaluateAll((all) => all.map(({ href }) => href));
  assert.equal(links.length, 16);
  for (const link of links) assert.equal((await fetch(link, { method: "HEAD" })).status, 200, link);
});

test("a poster takes the place of the letters where it can be had", async () => {
  const dot = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  const without = await open(served, "shows");
  await without.locator(".list li").first().waitFor();
  await without.locator(".list li:nth-child(-n+5) img").first().waitFor({ state: "detached" });
  assert.match(await without.locator(".list .initials").first().textContent(), /./u);
  const page = await open(served, "export");
  await page.route("https://static.tvmaze.com/**", (route) => route.fulfill({ contentType: "image/png", body: dot }));
  await page.goto("./#/shows");
  await page.locator(".list img.loaded").first().waitFor();
  assert.deepEqual([...page.errors, ...without.errors], []);
});

test("an error offers another try only where it can help", async () => {
  const page = await open(served, "shows?min_rating=99");
  const error = page.getByRole("alert").filter({ visible: true });
  const retry = error.getByRole("button", { name: "Try again" });
  for (const [place, text] of [["shows?min_rating=99", "min_rating"], ["shows/999999", "999999"], ["runs/nonsense", "nonsense"]]) {
    await page.goto(`./#/${place}`);
    await error.getByText(text).waitFor();
    assert.equal(await retry.count(), 0, place);
  }
  await page.route("**/shows/stats", (route) => route.fulfill({ status: 503, json: { detail: "the database is busy" } }));
  await page.goto("./#/export");
  await error.getByText("The database is busy.").waitFor();
  await page.unroute("**/shows/stats");
  await retry.click();
  await page.getByText("Snapshot 1").waitFor();
});

test("only the cast of a top show is asked for", async () => {
  const [top] = await json(`${served.url}/shows/top_shows?limit=1`);
  const { shows } = await json(`${served.url}/shows?language=German&limit=1&fields=id,name`);
  const page = await open(served, "shows");
  const failures = [];
  page.on("response", (response) => response.ok() || failures.push(response.url()));
  await page.goto(`./#/shows/${shows[0].id}`);
  await page.getByRole("heading", { name: shows[0].name, level: 1 }).waitFor();
  await page.getByText("The cast is stored for the top shows").waitFor();
  await page.goto(`./#/shows/${top.id}`);
  await page.locator(".cast li").first().waitFor();
  assert.deepEqual(failures, []);
});

test("no axis label of a chart is cut, however far it is scrolled", async () => {
  const page = await open(served, "charts", { viewport: { width: 390, height: 844 }, hasTouch: true });
  const plot = page.getByRole("region", { name: "Premiere year" }).locator(".columns");
  await plot.waitFor();
  const end = await plot.evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.ok(end > 100, "it has to be scrolled");
  const wide = await open(served, "charts");
  await wide.locator(".tick span").first().waitFor();
  assert.equal(await wide.locator(".tick span:visible").count(), await wide.locator(".tick span").count(), "all are seen where there is room");
  for (let left = end; left > end - 60; left -= 7) {
    await plot.evaluate((element, position) => { element.scrollLeft = position; }, left);
    await page.waitForTimeout(100);
    const { labels, cut } = await plot.evaluate((element) => {
      const frame = element.getBoundingClientRect();
      const shown = [...element.querySelectorAll(".tick span")].filter((label) => getComputedStyle(label).visibility === "visible")
        .map((label) => ({ text: label.textContent, ...label.getBoundingClientRect().toJSON() })).filter((label) => label.right > frame.left && label.left < frame.right);
      return { labels: shown.length, cut: shown.filter((label) => label.left < frame.left - 1 || label.right > frame.right + 1).map(({ text }) => text) };
    });
    assert.deepEqual(cut, [], `scrolled to ${left}`);
    assert.ok(labels >= 1);
  }
});
