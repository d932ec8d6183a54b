// The browser, the binary with a database of a test's own, and TVmaze's stand-in.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const BINARY = fileURLToPath(new URL("../../target/debug/tvshows", import.meta.url));
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
const LONGEST_MILLISECONDS = 15_000;
const SETTINGS = /^(DATABASE_PATH|REDIS_URL|TVMAZE_BASE_URL|HOST|PORT|CORS_ORIGINS|API_TOKEN|POST_RATE_LIMIT|MAX_AGE|LOG_FORMAT|TVSHOWS_CONFIG|RUST_LOG)$/;

// In the reverse order, when all tests of a file are done: they share a browser, and some a service.
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

// A process of the binary, from the line in which it says where it listens.
export function start(...options) {
  return startWith({}, ...options);
}

async function startWith(settings, ...options) {
  const inherited = Object.entries(process.env).filter(([name]) => !SETTINGS.test(name));
  const env = { ...Object.fromEntries(inherited), ...settings };
  const child = spawn(BINARY, options, { env, stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = (signal = "SIGKILL") => {
    child.kill(signal);
    return ended;
  };
  ends.push(() => stop());
  const failed = ended.then((code) => { throw new Error(`${options[0]} ended with ${code}`); });
  // Only who waits for the first line is told.
  failed.catch(() => {});
  const first = new Promise((resolve) => createInterface(child.stdout).once("line", resolve));
  const line = await Promise.race([first, failed]);
  return { url: /http:\/\/[\d.:]+/.exec(line)[0], stop };
}

export const simulator = (...options) => start("sim", "--port", "0", ...options);

// A service on a database that is deleted in the end.
export function service(upstream, { folder = temporaryFolder(), port = 0, settings = {} } = {}) {
  return startWith(settings, "serve", "--port", String(port), "--base-url", upstream.url, "--database-path", join(folder, "tvshows.db"));
}

export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "tvshows-browser-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function update({ url }, query = "") {
  const { request_id: run } = await json(`${url}/pipeline/update?${query}`, { method: "POST" });
  for (let signature = ""; ;) {
    const answer = await fetch(`${url}/pipeline/status/${run}?wait=30`, { headers: { previous_signature: signature } });
    if (answer.status === 204) continue;
    const { status, signature: next } = await answer.json();
    if (!["queued", "running"].includes(status.state)) return status;
    signature = next;
  }
}

export async function json(url, options) {
  const answer = await fetch(url, options);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

let browser = null;

// A page that fails its test when a script of it fails, and asks nobody but the service.
export async function open({ url }, path = "", options = {}) {
  browser ??= await launch();
  const context = await browser.newContext({ baseURL: `${url}/`, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(LONGEST_MILLISECONDS);
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedHTML/.test(message.text())) page.errors.push(message.text());
  });
  await page.route((address) => address.origin !== url, (route) => route.abort());
  await page.goto(`./#/${path}`);
  return page;
}

async function launch() {
  const quiet = ["--disable-background-networking", "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync"];
  const args = process.getuid?.() === 0 ? [...quiet, "--no-sandbox"] : quiet;
  const launched = await chromium.launch({ executablePath: BROWSER, args });
  ends.push(() => launched.close());
  return launched;
}
