// Test harness: the browser, the service with a temporary database, and the mock TVmaze server.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const BINARY = process.env.TVSHOWS_BINARY ?? fileURLToPath(new URL("../../target/debug/tvshows", import.meta.url));
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
const TIMEOUT_MS = 15_000;
const SETTINGS = /^(DATABASE_PATH|REDIS_URL|TVMAZE_BASE_URL|HOST|PORT|HEALTH_PORT|CORS_ORIGINS|API_TOKEN|POST_RATE_LIMIT|CDN_MAX_AGE|MAX_AGE|DETAILS|MAX_DETAILS|LOG_FORMAT|TVSHOWS_CONFIG|RUST_LOG)$/;

// Run in reverse order after all tests of a file, which share the browser and sometimes a service.
const cleanups = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

// Starts the binary, and waits until it prints the address it listens on.
async function start(settings, ...options) {
  const inherited = Object.entries(process.env).filter(([name]) => !SETTINGS.test(name));
  const env = { ...Object.fromEntries(inherited), ...settings };
  const child = spawn(BINARY, options, { env, stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = (signal = "SIGKILL") => {
    child.kill(signal);
    return ended;
  };
  cleanups.push(() => stop());
  const failed = ended.then((code) => { throw new Error(`${options[0]} ended with ${code}`); });
  // Reported only while waiting for the first line.
  failed.catch(() => {});
  const first = new Promise((resolve) => createInterface(child.stdout).once("line", resolve));
  const line = await Promise.race([first, failed]);
  return { url: /http:\/\/[\d.:]+/.exec(line)[0], stop };
}

// A simulator whose synthetic shows are the same on every day.
export function simulator(...options) {
  const date = options.includes("--data") ? [] : ["--date", "2026-07-01"];
  return start({}, "sim", "--port", "0", ...date, ...options);
}

// A service whose database is deleted after the tests.
export function service(upstream, { folder = temporaryFolder(), port = 0, settings = {} } = {}) {
  return start(settings, "serve", "--port", String(port), "--base-url", upstream.url, "--database-path", join(folder, "tvshows.db"));
}

export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "tvshows-browser-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function update({ url }, query = "") {
  const { request_id: run } = await json(`${url}/pipeline/update?${query}`, { method: "POST" });
  for (let signature = ""; ;) {
    const response = await fetch(`${url}/pipeline/status/${run}?wait=30`, { headers: { previous_signature: signature } });
    if (response.status === 204) continue;
    const { status, signature: next } = await response.json();
    if (!["queued", "running"].includes(status.state)) return status;
    signature = next;
  }
}

export async function json(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

let browser = null;

// Opens a page that collects script and policy errors in `errors`, and may only connect to the service.
export async function open({ url }, path = "", options = {}) {
  browser ??= await launch();
  const context = await browser.newContext({ baseURL: `${url}/`, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedHTML/.test(message.text())) page.errors.push(message.text());
  });
  const { origin } = new URL(url);
  await page.route((target) => target.origin !== origin, (route) => route.abort());
  await page.goto(`./#/${path}`);
  return page;
}

async function launch() {
  const quiet = ["--disable-background-networking", "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync"];
  const args = process.getuid?.() === 0 ? [...quiet, "--no-sandbox"] : quiet;
  const launched = await chromium.launch({ executablePath: BROWSER, args });
  cleanups.push(() => launched.close());
  return launched;
}
