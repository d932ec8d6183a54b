// One run: its progress, steps, counts and error. It is updated in place, so that it keeps the focus.

import { h, setText } from "./dom.js";
import { capitalize, formatDateTime, formatDuration, formatNumber, pluralize } from "./format.js";
import { urlFor } from "./router.js";
import { isActive } from "./run_feed.js";
import { elapsedSeconds, parameterLabel, runSummary, stateLabel } from "./run_labels.js";

const STEPS = new Map([
  ["Planning", "Plan"],
  ["Fetching all shows", "Fetch shows"],
  ["Computing top shows", "Rank"],
  ["Fetching cast", "Fetch casts"],
  ["Publishing", "Publish"],
]);

export class RunPanel {
  #state = h("span", { class: "state" });
  #summary = h("p", { class: "run-summary", id: "run-summary" });
  #percent = h("span", { class: "percent" });
  #bar = h("progress", { max: 100, value: 0, "aria-labelledby": "run-summary" });
  #steps = [...STEPS.values()].map((label) => h("li", {}, label));
  #counts = new Map();
  #countList = h("dl", { class: "counts" });
  #notes = h("ul", { class: "notes" });
  #error = h("pre", { class: "error", tabindex: "0", "aria-label": "Error", hidden: true });
  #parameters = h("span");
  #link = h("a", {}, "Details");
  #cancel;
  element;

  constructor({ onCancel, isLinked = true }) {
    this.#cancel = h("button", { type: "button", class: "danger", click: () => onCancel(this.run) }, "Cancel");
    this.element = h("section", { class: "card run", "aria-label": "Run" },
      h("div", { class: "run-head" }, this.#state, this.#summary, this.#percent),
      this.#bar, h("ol", { class: "steps", "aria-label": "Steps" }, this.#steps),
      this.#error, this.#countList, this.#notes,
      h("div", { class: "run-foot" }, this.#parameters, isLinked && this.#link, this.#cancel));
  }

  update(run, requestRate) {
    this.run = run;
    this.element.dataset.state = run.state;
    this.#state.className = `state ${run.state}`;
    setText(this.#state, stateLabel(run));
    setText(this.#summary, runSummary(run));
    setText(this.#percent, `${run.progress}%`);
    this.#bar.value = run.progress;
    this.#updateSteps(run);
    for (const [name, value] of counts(run, requestRate)) this.#updateCount(name, value);
    this.#updateNotes(run);
    setText(this.#error, run.error ?? "");
    this.#error.hidden = !run.error;
    setText(this.#parameters, `${parameterLabel(run)} · ${run.started_at ? `started ${formatDateTime(run.started_at)}` : "not started"}`);
    this.#link.href = urlFor(`runs/${run.request_id}`);
    this.#cancel.hidden = !isActive(run);
  }

  #updateSteps(run) {
    const current = [...STEPS.keys()].indexOf(run.step);
    const isDone = run.state === "succeeded";
    this.#steps.forEach((element, index) => {
      element.className = isDone || index < current ? "done" : index === current ? "current" : "";
      if (index === current && isActive(run)) element.setAttribute("aria-current", "step");
      else element.removeAttribute("aria-current");
    });
  }

  #updateCount(name, value) {
    if (!this.#counts.has(name)) {
      const text = h("dd");
      const row = h("div", {}, h("dt", {}, name), text);
      this.#counts.set(name, { row, text });
      this.#countList.append(row);
    }
    const { row, text } = this.#counts.get(name);
    row.hidden = value == null;
    setText(text, value ?? "");
  }

  #updateNotes(run) {
    const notes = [];
    if (run.rate_limited) notes.push([run.state === "running" ? "warning" : null, `Rate-limited by TVmaze ${pluralize(run.rate_limited, "time")}`]);
    if (run.retries) notes.push([null, pluralize(run.retries, "retry", "retries")]);
    if (run.attempt > 1) notes.push([null, `Attempt ${run.attempt}: resumed after an interruption`]);
    if (notes.map(([, text]) => text).join() === [...this.#notes.children].map((note) => note.textContent).join()) return;
    this.#notes.replaceChildren(...notes.map(([kind, text]) => h("li", { class: kind }, text)));
  }
}

// Counts that do not apply to the run are null, which hides those of the previous run.
function counts(run, requestRate) {
  const ratio = (done, total) => (total == null ? formatNumber(done) : `${formatNumber(done)} of ${formatNumber(total)}`);
  const rate = run.state === "running" ? requestRate.perSecond : null;
  const seconds = elapsedSeconds(run);
  return [
    ["Pages", ratio(run.pages_done, run.pages_total)],
    ["Individual shows", run.singles_total ? ratio(run.singles_done, run.singles_total) : null],
    ["Shows", formatNumber(run.shows_seen)],
    ["Details", run.details_total == null ? null : ratio(run.details_done, run.details_total)],
    ["Casts", ratio(run.casts_done, run.casts_total)],
    ["Requests", formatNumber(run.requests)],
    ["Requests per second", rate === null ? null : rate.toFixed(rate < 10 ? 1 : 0)],
    ["Elapsed", isActive(run) && seconds !== null ? formatDuration(Math.floor(seconds)) : null],
    ["Duration", isActive(run) || seconds === null ? null : formatDuration(seconds)],
    ["Remaining", run.state === "running" && run.eta_seconds != null ? `about ${formatDuration(Math.max(1, run.eta_seconds))}` : null],
    ...["added", "changed", "deleted", "unchanged"].map((key) => [capitalize(key), run.state === "succeeded" ? formatNumber(run[key]) : null]),
  ];
}
