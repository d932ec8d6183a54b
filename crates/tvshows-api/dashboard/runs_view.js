// Starts updates, and shows the active run, the queue and the history.

import { post } from "./api_client.js";
import { announce, h, setText } from "./dom.js";
import { formatDateTime } from "./format.js";
import { planSummary } from "./plan_summary.js";
import { InlineMessage } from "./inline_message.js";
import { errorState, skeleton } from "./loading.js";
import { urlFor } from "./router.js";
import { isActive, runFeed } from "./run_feed.js";
import { runHistory } from "./run_history.js";
import { replicaLine } from "./replica_line.js";
import { parameterLabel, runSummary } from "./run_labels.js";
import { RunPanel } from "./run_panel.js";

const ANNOUNCED_PERCENT_STEP = 25;

export function runsView({ signal, heading, title }) {
  title("Runs");
  const message = new InlineMessage(signal);
  const cancel = (run) => message.showResult(runFeed.cancel(run));
  const panel = new RunPanel({ onCancel: cancel });
  const latest = h("div", { class: "stack" }, skeleton(4));
  const history = h("div");
  const nextRun = h("p", { class: "muted" });
  let historyKey = null;
  const render = () => {
    if (!runFeed.runs) {
      if (runFeed.error) latest.replaceChildren(errorState(runFeed.error, () => runFeed.refresh()));
      return;
    }
    const run = runFeed.active ?? runFeed.ended[0];
    if (run) panel.update(run, runFeed.requestRate);
    renderLatest(latest, run ? panel.element : noRunsState(), queueList(runFeed.queued, cancel));
    setText(nextRun, runFeed.nextRunAt ? `Next scheduled update: ${formatDateTime(runFeed.nextRunAt)}` : "");
    nextRun.hidden = !runFeed.nextRunAt;
    const key = JSON.stringify(runFeed.ended.map((run) => [run.request_id, run.revision]));
    if (key !== historyKey) history.replaceChildren(runHistory(runFeed.ended));
    historyKey = key;
  };
  runFeed.addEventListener("change", render, { signal });
  runFeed.addEventListener("change", announceProgress(), { signal });
  runFeed.addEventListener("published", () => message.clear(), { signal });
  const clock = setInterval(() => runFeed.active && render(), 1000);
  signal.addEventListener("abort", () => clearInterval(clock));
  render();
  return [
    heading,
    h("div", { class: "runs" },
      latest,
      h("section", { class: "card", "aria-labelledby": "new-update" },
        h("h2", { id: "new-update" }, "New update"), updateForm(message), message.element, nextRun, replicaLine(signal))),
    h("section", { "aria-labelledby": "history" }, h("h2", { id: "history" }, "History"), history),
  ];
}

function noRunsState() {
  return h("div", { class: "empty card" },
    h("p", { class: "empty-title" }, "No updates yet"),
    h("p", {}, "The first update fetches the whole TVmaze catalog. This takes several minutes because TVmaze limits the request rate. The data is published when the update is complete."));
}

// Replaces only what has changed, so that focused elements stay focused.
function renderLatest(root, panel, queue) {
  if (root.firstChild !== panel && !(root.firstChild?.matches(".empty") && panel.matches(".empty"))) root.replaceChildren(panel);
  const [, oldQueue] = root.children;
  if (oldQueue?.textContent === queue?.textContent) return;
  oldQueue?.remove();
  if (queue) root.append(queue);
}

function queueList(queued, cancel) {
  if (!queued.length) return null;
  const item = (run) => h("li", {},
    h("span", { class: "state queued" }, "Queued"),
    h("a", { href: urlFor(`runs/${run.request_id}`) }, parameterLabel(run)),
    h("span", { class: "muted" }, runSummary(run)),
    h("button", { type: "button", class: "danger small", click: () => cancel(run) }, "Cancel"));
  // The feed is newest first; the queue starts with the next run.
  return h("section", { class: "card", "aria-labelledby": "queue" },
    h("h2", { id: "queue" }, "Queue"), h("ol", { class: "queue" }, queued.toReversed().map(item)));
}

function updateForm(message) {
  const field = (label, input) => h("label", {}, h("span", {}, label), input);
  const submit = (event) => {
    event.preventDefault();
    const parameters = new URLSearchParams(new FormData(event.target));
    message.showResult(event.submitter === plan ? planUpdate(parameters) : runFeed.startUpdate(parameters));
  };
  const plan = h("button", { class: "plain", title: "What the update would fetch, and how long that takes" }, "Plan");
  // A result is that of other parameters.
  const input = () => message.clear();
  return h("form", { class: "update-form", submit, input },
    field("Years", h("input", { name: "years", type: "number", min: 0, max: 200, value: 10, required: true })),
    field("Top shows", h("input", { name: "top", type: "number", min: 1, max: 1000, value: 10, required: true })),
    field("Mode", h("select", { name: "mode" },
      h("option", { value: "auto" }, "Changes only (auto)"), h("option", { value: "full" }, "Everything (full)"))),
    h("div", { class: "update-actions" }, h("button", {}, "Start update"), plan),
    h("p", { class: "muted hint" }, "The top shows are English-language Action shows that premiered within this many years."));
}

async function planUpdate(parameters) {
  return { message: planSummary(await post(`pipeline/plan?${parameters}`)) };
}

// Announces each step, each quarter of the progress and the end of a run.
function announceProgress() {
  let last = null;
  return () => {
    const run = runFeed.active ?? runFeed.ended[0];
    if (!run) return;
    const percent = Math.floor(run.progress / ANNOUNCED_PERCENT_STEP) * ANNOUNCED_PERCENT_STEP;
    const text = isActive(run) ? `${runSummary(run)}, ${percent}%` : runSummary(run);
    if (last !== null && last !== text) announce(text);
    last = text;
  };
}
