// One run, at its own URL: its progress, timeline, parameters and log.

import { request } from "./api_client.js";
import { h } from "./dom.js";
import { capitalize, formatDateTime } from "./format.js";
import { InlineMessage } from "./inline_message.js";
import { loadInto } from "./loading.js";
import { navigate, urlFor } from "./router.js";
import { isActive, runFeed } from "./run_feed.js";
import { RunLog } from "./run_log.js";
import { RunPanel } from "./run_panel.js";
import { runTimeline } from "./run_timeline.js";

const TRIGGERS = {
  http: "A request: the dashboard or another client of the API",
  schedule: "The schedule",
  command_line: "The command line: tvshows update",
  startup: "The start of the service: --update",
};

export function runView({ path: [, id], signal, heading, title }) {
  title("Run");
  const message = new InlineMessage(signal);
  const panel = new RunPanel({ isLinked: false, onCancel: (run) => message.showResult(runFeed.cancel(run)) });
  const again = h("button", { type: "button", class: "plain", click: () => message.showResult(startAgain(panel.run)) },
    "Run again with these parameters");
  const timeline = h("div");
  const timelineCard = h("section", { class: "card", "aria-labelledby": "timeline" }, h("h2", { id: "timeline" }, "Timeline"), timeline);
  const details = h("div");
  const log = new RunLog(id, signal);
  let logRefreshesLeft = 0;
  const renderProgress = (run) => {
    panel.update(run, runFeed.requestRate);
    const steps = runTimeline(run);
    timelineCard.hidden = !steps;
    if (steps) timeline.replaceChildren(steps);
  };
  const render = (run) => {
    renderProgress(run);
    again.hidden = isActive(run) || run.state === "interrupted";
    details.replaceChildren(detailList(run));
    // A line can follow the change that it is about.
    logRefreshesLeft = 2;
  };
  const onChange = () => {
    const run = runFeed.find(id);
    if (run && panel.run && run.revision >= panel.run.revision) render(run);
  };
  runFeed.addEventListener("change", onChange, { signal });
  const clock = setInterval(() => {
    if (panel.run && isActive(panel.run)) renderProgress(panel.run);
    if (logRefreshesLeft > 0) log.refresh();
    logRefreshesLeft -= 1;
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(clock));
  const content = loadInto(h("div", { class: "run-page" }), signal, async () => {
    const { status } = await request(`pipeline/status/${encodeURIComponent(id)}`, { signal });
    render(status);
    await log.refresh();
    return [panel.element, h("div", { class: "run-actions" }, again, message.element), timelineCard, details, log.element];
  });
  return [h("p", { class: "back" }, h("a", { href: "#/runs" }, "All runs")), heading, content];
}

// Starts a run with the parameters of another one, and goes to its page.
async function startAgain({ years, top, mode }) {
  const response = await runFeed.startUpdate(new URLSearchParams({ years, top, mode }));
  navigate(urlFor(`runs/${response.request_id}`));
  return response;
}

function detailList(run) {
  const dateTime = (timestamp) => timestamp && capitalize(formatDateTime(timestamp));
  const details = [
    ["Run ID", run.request_id],
    ["Started by", TRIGGERS[run.trigger] ?? "Unknown"],
    ["Mode", run.mode],
    ["Years", run.years],
    ["Top shows", run.top],
    ["Started", dateTime(run.started_at)],
    ["Finished", dateTime(run.finished_at)],
    ["Attempts", run.attempt || null],
    ["Retries", run.retries],
    ["Rate-limited", run.rate_limited],
    ["Instance", run.instance],
  ];
  const rows = details.filter(([, value]) => value != null && value !== "");
  return h("dl", { class: "details card" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))));
}
