// Starts updates, shows the one under way and those that wait, and tells how the last ones ended.

import { announce, h, write } from "./elements.js";
import { moment } from "./format.js";
import { failure, skeleton } from "./loading.js";
import { Notice } from "./notice.js";
import { address } from "./route.js";
import { runHistory } from "./run_history.js";
import { RunPanel } from "./run_panel.js";
import { outcome, parameters } from "./run_words.js";
import { isLive, runs } from "./runs.js";

const ANNOUNCED_PERCENT = 25;

export function runsView({ signal, heading, title }) {
  title("Runs");
  const notice = new Notice();
  const cancel = (run) => notice.tellHow(runs.cancel(run));
  const panel = new RunPanel({ onCancel: cancel });
  const now = h("div", { class: "now" }, skeleton(4));
  const history = h("div");
  const next = h("p", { class: "quiet" });
  let listed = null;
  const show = () => {
    if (!runs.list) {
      if (runs.error) now.replaceChildren(failure(runs.error, () => runs.refresh()));
      return;
    }
    const run = runs.live ?? runs.ended[0];
    if (run) panel.show(run, runs.pace);
    showWithin(now, run ? panel.element : welcome(), waitingList(runs.waiting, cancel));
    write(next, runs.nextRunAt ? `The next update starts by itself: ${moment(runs.nextRunAt)}.` : "");
    next.hidden = !runs.nextRunAt;
    const ended = JSON.stringify(runs.ended.map((run) => [run.request_id, run.revision]));
    if (ended !== listed) history.replaceChildren(runHistory(runs.ended));
    listed = ended;
  };
  runs.addEventListener("change", show, { signal });
  runs.addEventListener("change", announcer(), { signal });
  const clock = setInterval(() => runs.live && show(), 1000);
  signal.addEventListener("abort", () => clearInterval(clock));
  show();
  return [
    heading,
    h("div", { class: "runs" },
      h("div", { class: "stack" }, now),
      h("section", { class: "card", "aria-labelledby": "start" },
        h("h2", { id: "start" }, "Update"), startForm(notice), notice.element, next)),
    h("section", { "aria-labelledby": "history" }, h("h2", { id: "history" }, "History"), history),
  ];
}

function welcome() {
  return h("div", { class: "empty card" },
    h("p", { class: "empty-title" }, "No update yet"),
    h("p", {}, "Start one: it fetches TVmaze's whole catalogue, some minutes' work at TVmaze's pace, and publishes it at once when it is complete."));
}

// Puts these in, and touches nothing that is there already: what has the focus keeps it.
function showWithin(root, panel, waiting) {
  if (root.firstChild !== panel && !(root.firstChild?.matches(".empty") && panel.matches(".empty"))) root.replaceChildren(panel);
  const [, old] = root.children;
  if (old?.textContent === waiting?.textContent) return;
  old?.remove();
  if (waiting) root.append(waiting);
}

function waitingList(waiting, cancel) {
  if (!waiting.length) return null;
  const item = (run) => h("li", {},
    h("span", { class: "state queued" }, "Queued"),
    h("a", { href: address(`runs/${run.request_id}`) }, parameters(run)),
    h("span", { class: "quiet" }, outcome(run)),
    h("button", { type: "button", class: "danger small", click: () => cancel(run) }, "Cancel"));
  // The list comes newest first; the one that is next stands first.
  return h("section", { class: "card", "aria-labelledby": "waiting" },
    h("h2", { id: "waiting" }, "Waiting"), h("ol", { class: "waiting" }, waiting.toReversed().map(item)));
}

function startForm(notice) {
  const field = (name, ...input) => h("label", {}, h("span", {}, name), ...input);
  const submit = (event) => {
    event.preventDefault();
    const query = new URLSearchParams(new FormData(event.target));
    notice.tellHow(runs.start(query));
  };
  return h("form", { class: "start", submit },
    field("Years", h("input", { name: "years", type: "number", min: 0, max: 200, value: 10, required: true })),
    field("Top", h("input", { name: "top", type: "number", min: 1, max: 1000, value: 10, required: true })),
    field("Mode", h("select", { name: "mode" },
      h("option", { value: "auto" }, "What changed (auto)"), h("option", { value: "full" }, "Everything (full)"))),
    h("button", {}, "Start an update"),
    h("p", { class: "quiet hint" }, "The top shows are English, of the genre Action, premiered in the last so many years."));
}

// Says each step, each quarter and the end of the run, and nothing in between.
function announcer() {
  let said = null;
  return () => {
    const run = runs.live ?? runs.ended[0];
    if (!run) return;
    const quarter = Math.floor(run.progress / ANNOUNCED_PERCENT) * ANNOUNCED_PERCENT;
    const text = isLive(run) ? `${outcome(run)}, ${quarter} %` : outcome(run);
    if (said !== null && said !== text) announce(text);
    said = text;
  };
}
