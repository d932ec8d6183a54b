// One run, at an address of its own.

import { h } from "./elements.js";
import { moment } from "./format.js";
import { fill } from "./loading.js";
import { Notice } from "./notice.js";
import { RunPanel } from "./run_panel.js";
import { isLive, runs } from "./runs.js";
import { ask } from "./service.js";

export function runView({ path: [, id], signal, heading, title }) {
  title("Run");
  const notice = new Notice();
  const panel = new RunPanel({ isLinked: false, onCancel: (run) => notice.tellHow(runs.cancel(run)) });
  const facts = h("div");
  const show = (run) => {
    panel.show(run, runs.pace);
    facts.replaceChildren(factsOf(run));
  };
  const follow = () => {
    const run = runs.find(id);
    if (run && panel.run && run.revision >= panel.run.revision) show(run);
  };
  runs.addEventListener("change", follow, { signal });
  const clock = setInterval(() => panel.run && isLive(panel.run) && panel.show(panel.run, runs.pace), 1000);
  signal.addEventListener("abort", () => clearInterval(clock));
  const content = fill(h("div"), signal, async () => {
    const { status } = await ask(`pipeline/status/${encodeURIComponent(id)}`, { signal });
    show(status);
    return [panel.element, notice.element, facts];
  });
  return [h("p", { class: "back" }, h("a", { href: "#/runs" }, "All runs")), heading, content];
}

function factsOf(run) {
  const facts = [
    ["Request", run.request_id],
    ["Mode", run.mode],
    ["Years", run.years],
    ["Top", run.top],
    ["Started", run.started_at && moment(run.started_at)],
    ["Ended", run.finished_at && moment(run.finished_at)],
    ["Attempts", run.attempt || null],
    ["Retries", run.retries],
    ["Answers of 429", run.rate_limited],
    ["Process", run.instance],
  ];
  const rows = facts.filter(([, value]) => value != null && value !== "");
  return h("dl", { class: "facts card" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))));
}
