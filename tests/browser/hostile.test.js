// A show whose fields all contain script injection. The tests also run with the Content-Security-Policy disabled, so
// that only the dashboard's own sanitization protects the user.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { json, open, service, simulator, update } from "./harness.js";

const CATALOG = fileURLToPath(new URL("hostile", import.meta.url));

let served;
let show;
before(async () => {
  served = await service(await simulator("--data", CATALOG), { settings: { DETAILS: "id=1" } });
  assert.equal((await update(served, "years=200")).state, "succeeded");
  show = await json(`${served.url}/shows/1`);
});

for (const bypassCSP of [true, false]) {
  test(`texts of upstream are shown as text and run nothing, the policy being ${bypassCSP ? "off" : "on"}`, async () => {
    const page = await open(served, "shows", { bypassCSP });
    for (const place of ["shows", "shows/1", "schedule?date=2026-11-24", "top", "charts", "export", `shows?genre=${encodeURIComponent(show.genres[1])}`, "runs"]) {
      await page.goto(`./#/${place}`);
      await page.locator("main[id=main] h1").waitFor();
      if (!["export", "runs"].includes(place)) await page.locator("main").getByText("<script>globalThis.ran=1</script>").filter({ visible: true }).first().waitFor();
      await harmless(page, place);
    }
    await page.goto("./#/shows/1");
    await page.getByRole("heading", { name: show.name, level: 1 }).waitFor();
    const summary = page.locator(".summary");
    assert.deepEqual(await summary.evaluate((element) => [...new Set([...element.querySelectorAll("*")].map(({ tagName }) => tagName))]), ["P", "B"]);
    assert.match(await summary.textContent(), /A bold word, a link\..*globalThis\.ran=1/);
    await summary.getByText("bold").hover();
    await summary.getByText("a link").click();
    await harmless(page, "a click");
    // A parsed document inherits the page's policy and reports what it would have blocked.
    assert.deepEqual(page.errors.filter((error) => !/^(Executing|Applying) inline/.test(error)), []);
  });
}

async function harmless(page, place) {
  assert.equal(await page.evaluate(() => globalThis.ran), undefined, place);
  const suspicious = await page.locator("main").evaluate((main) => [...main.querySelectorAll("*")].flatMap((element) => [
    ...(["SCRIPT", "IFRAME", "STYLE", "OBJECT", "EMBED"].includes(element.tagName) ? [element.tagName] : []),
    ...[...element.attributes].filter(({ name }) => /^on|^srcdoc$/.test(name)).map(({ name }) => name),
    ...["href", "src"].filter((name) => /^\s*(javascript|data|https:\/\/elsewhere)/i.test(element.getAttribute(name) ?? "")),
  ]));
  assert.deepEqual(suspicious, [], place);
}
