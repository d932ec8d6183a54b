// The dashboard and Swagger UI work below a path prefix that a reverse proxy strips, without a setting.

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { test } from "node:test";
import { open, service, simulator } from "./harness.js";

const PREFIX = "/tv";

// Forwards requests below the prefix to the service, without the prefix.
async function proxy({ url }) {
  const server = createServer(({ method, headers, url: path }, response) => {
    if (!path.startsWith(`${PREFIX}/`)) return response.writeHead(404).end();
    // A connection for each request, because the service closes idle ones.
    const forwarded = request(url + path.slice(PREFIX.length), { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    // A poll is still open when the service ends with the test.
    forwarded.on("error", () => response.destroy());
    forwarded.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}${PREFIX}` };
}

test("the dashboard and the documentation work below a prefix", async () => {
  const proxied = await proxy(await service(await simulator("--shows", "300")));
  const page = await open(proxied);
  const failed = [];
  page.on("response", (response) => {
    // Some shows have no cast.
    if (response.status() >= 400 && !response.url().endsWith("/cast")) failed.push(response.url());
  });

  await page.goto("docs");
  assert.equal(page.url(), `${proxied.url}/docs/`);
  await page.locator(".opblock").nth(14).waitFor();
  const update = page.locator("#operations-pipeline-update");
  await update.locator("button").first().click();
  await update.getByRole("button", { name: "Try it out" }).click();
  await update.getByRole("button", { name: "Execute" }).click();
  await update.locator(".live-responses-table").getByText("202", { exact: true }).waitFor();
  const { pathname } = new URL(await update.locator(".request-url pre").innerText());
  assert.equal(pathname, `${PREFIX}/pipeline/update`);

  await page.goto("./#/runs");
  await page.getByText("succeeded").first().waitFor();
  await page.getByRole("link", { name: "Top", exact: true }).click();
  await page.locator("main a[href^='#/shows/']").first().waitFor();
  await page.getByRole("link", { name: "Schedule", exact: true }).click();
  await page.getByText("No episodes are stored").waitFor();
  assert.equal(await page.getByLabel("Address of the calendar").inputValue(), `${proxied.url}/calendar.ics`);
  assert.deepEqual(failed, []);
  assert.deepEqual(page.errors, []);
});
