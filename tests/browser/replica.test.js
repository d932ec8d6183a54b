// A replica of a shared database shows its role and its lag in one line.

import assert from "node:assert/strict";
import { test } from "node:test";
import { open, service, simulator } from "./harness.js";

const line = (page) => page.getByText("This replica:");

test("the role and the lag of a replica are shown, and nothing for a database of its own", async () => {
  const served = await service(await simulator("--shows", "300"));
  const page = await open(served);
  await page.getByText("No updates yet").waitFor();
  await page.waitForLoadState("networkidle");
  assert.equal(await line(page).count(), 0);

  let replica = { role: "standby", snapshots_behind: 0, seconds_since_contact: 0.1 };
  let status = "ready";
  await page.route("**/health/ready", (route) => route.fulfill({ json: { status, store: "ok", tracker: "ok", replica } }));
  const text = async () => {
    await page.reload();
    await line(page).waitFor();
    return line(page).innerText();
  };
  assert.equal(await text(), "This replica: on standby, up to date");
  replica = { role: "holder", snapshots_behind: 2, seconds_since_contact: 2.5 };
  assert.equal(await text(), "This replica: works on the update, 2 snapshots behind");
  replica = { role: "standby", snapshots_behind: 0, seconds_since_contact: 72.4 };
  status = "degraded";
  assert.equal(await text(), "This replica: on standby, the shared database has not responded for 1 min 12 s");
  assert.deepEqual(page.errors, []);
});
