// One run, at its own URL.

import { request } from "./api_client.js";
import { h } from "./dom.js";
import { capitalize, formatDateTime } from "./format.js";
import { InlineMessage } from "./inline_message.js";
import { loadInto } from "./loading.js";
import { isActive, runFeed } from "./run_feed.js";
import { RunPanel } from "./run_panel.js";

export function runView({ path: [, id], signal, heading, title }) {
  title("Run");
  const message = new InlineMessage(signal);
  const panel = new RunPanel({ isLinked: false, onCancel: (run) => message.showResult(runFeed.cancel(run)) });
  const details = h("div");
  const render = (run) => {
    panel.update(run, runFeed.requestRate);
    details.replaceChildren(detailList(run));
  };
  const onChange = () => {
    const run = runFeed.find(id);
    if (run && panel.run && run.revision >= panel.run.revision) render(run);
  };
  runFeed.addEventListener("change", onChange, { signal });
  const clock = setInterval(() => panel.run && isActive(panel.run) && panel.update(panel.run, runFeed.requestRate), 1000);
  signal.addEventListener("abort", () => clearInterval(clock));
  const content = loadInto(h("div", { class: "stack" }), signal, async () => {
    const { status } = await request(`pipeline/status/${encodeURIComponent(id)}`, { signal });
    render(status);
    return [panel.element, message.element, details];
  });
  return [h("p", { class: "back" }, h("a", { href: "#/runs" }, "All runs")), heading, content];
}

function detailList(run) {
  const dateTime = (timestamp) => timestamp && capitalize(formatDateTime(timestamp));
  const details = [
    ["Run ID", run.request_id],
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
