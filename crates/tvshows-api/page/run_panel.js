// One run at a glance: its bar, its steps, its counts, its error. Written anew in place with every change, so
// that the focus stays where it is.

import { h, write } from "./elements.js";
import { duration, moment, number, plural } from "./format.js";
import { address } from "./route.js";
import { outcome, parameters, secondsOf, stateWord } from "./run_words.js";
import { isLive } from "./runs.js";

const STEPS = new Map([
  ["Planning", "Plan"],
  ["Fetching all shows", "Shows"],
  ["Computing top shows", "Ranking"],
  ["Fetching cast", "Casts"],
  ["Publishing", "Publish"],
]);

export class RunPanel {
  #state = h("span", { class: "state" });
  #outcome = h("p", { class: "outcome", id: "outcome" });
  #percent = h("span", { class: "percent" });
  #bar = h("progress", { max: 100, value: 0, "aria-labelledby": "outcome" });
  #steps = [...STEPS].map(([step, word]) => ({ step, element: h("li", {}, word) }));
  #counts = new Map();
  #list = h("dl", { class: "counts" });
  #notes = h("ul", { class: "notes" });
  #error = h("pre", { class: "error", tabindex: "0", "aria-label": "Error", hidden: true });
  #asked = h("span");
  #link = h("a", {}, "Details");
  #cancel;
  element;

  constructor({ onCancel, isLinked = true }) {
    this.#cancel = h("button", { type: "button", class: "danger", click: () => onCancel(this.run) }, "Cancel");
    const steps = h("ol", { class: "steps", "aria-label": "Steps" }, this.#steps.map(({ element }) => element));
    this.element = h("section", { class: "card run", "aria-label": "Run" },
      h("div", { class: "run-head" }, this.#state, this.#outcome, this.#percent),
      this.#bar, steps, this.#error, this.#list, this.#notes,
      h("div", { class: "run-foot" }, this.#asked, isLinked && this.#link, this.#cancel));
  }

  show(run, pace) {
    this.run = run;
    this.element.dataset.state = run.state;
    this.#state.className = `state ${run.state}`;
    write(this.#state, stateWord(run));
    write(this.#outcome, outcome(run));
    write(this.#percent, `${run.progress} %`);
    this.#bar.value = run.progress;
    this.#showSteps(run);
    this.#showCounts(run, pace);
    this.#showNotes(run);
    write(this.#error, run.error ?? "");
    this.#error.hidden = !run.error;
    write(this.#asked, `${parameters(run)} · ${started(run)}`);
    this.#link.href = address(`runs/${run.request_id}`);
    this.#cancel.hidden = !isLive(run);
  }

  #showSteps(run) {
    const reached = [...STEPS.keys()].indexOf(run.step);
    const isDone = run.state === "succeeded";
    this.#steps.forEach(({ element }, index) => {
      element.className = isDone || index < reached ? "done" : index === reached ? "now" : "";
      if (index === reached && isLive(run)) element.setAttribute("aria-current", "step");
      else element.removeAttribute("aria-current");
    });
  }

  #showCounts(run, pace) {
    const of = (done, total) => (total == null ? number(done) : `${number(done)} of ${number(total)}`);
    const rate = run.state === "running" ? pace.requestsPerSecond : null;
    const seconds = secondsOf(run);
    const counts = [
      ["Pages", of(run.pages_done, run.pages_total)],
      ["Single shows", run.singles_total ? of(run.singles_done, run.singles_total) : null],
      ["Shows", number(run.shows_seen)],
      ["Casts", of(run.casts_done, run.casts_total)],
      ["Requests", number(run.requests)],
      ["Requests a second", rate === null ? null : rate.toFixed(rate < 10 ? 1 : 0)],
      [isLive(run) ? "Time spent" : "Duration", seconds == null ? null : duration(isLive(run) ? Math.floor(seconds) : seconds)],
      ["Time left", run.state === "running" && run.eta_seconds != null ? `about ${duration(Math.max(1, run.eta_seconds))}` : null],
      ...(run.state === "succeeded" ? ["added", "changed", "deleted", "unchanged"].map((key) => [word(key), number(run[key])]) : []),
    ];
    for (const [name, value] of counts) this.#showCount(name, value);
  }

  #showCount(name, value) {
    if (!this.#counts.has(name)) {
      const text = h("dd");
      const row = h("div", {}, h("dt", {}, name), text);
      this.#counts.set(name, { row, text });
      this.#list.append(row);
    }
    const { row, text } = this.#counts.get(name);
    row.hidden = value == null;
    write(text, value ?? "");
  }

  #showNotes(run) {
    const notes = [];
    const kind = run.state === "running" ? "slow" : "";
    if (run.rate_limited) notes.push([kind, `Slowed down by TVmaze: ${plural(run.rate_limited, "answer")} of “too many requests” (429)`]);
    if (run.retries) notes.push(["", `${plural(run.retries, "request")} repeated`]);
    if (run.attempt > 1) notes.push(["", `Attempt ${run.attempt}: it went on after an interruption`]);
    if (notes.map(([, text]) => text).join() === [...this.#notes.children].map((note) => note.textContent).join()) return;
    this.#notes.replaceChildren(...notes.map(([kind, text]) => h("li", { class: kind || null }, text)));
  }
}

const word = (key) => key[0].toUpperCase() + key.slice(1);

function started(run) {
  return run.started_at ? `started ${moment(run.started_at)}` : "not started yet";
}
