// When a run worked on each step, as bars on a common time axis with the durations next to them.

import { h } from "./dom.js";
import { formatDuration } from "./format.js";
import { isActive } from "./run_feed.js";

const LABELS = new Map([
  ["Queued", "Wait"],
  ["Planning", "Plan"],
  ["Fetching all shows", "Fetch shows"],
  ["Computing top shows", "Rank"],
  ["Fetching cast", "Fetch casts"],
  ["Publishing", "Publish"],
]);

// Null for a run without recorded steps.
export function runTimeline(run, now = Date.now()) {
  const periods = withInterruptions((run.steps ?? []).map(({ step, started_at: start, finished_at: end }) => {
    const startMs = Date.parse(start);
    return { label: LABELS.get(step) ?? step, start: startMs, end: end ? Date.parse(end) : Math.max(now, startMs), isCurrent: !end && isActive(run) };
  }));
  if (!periods.length) return null;
  const origin = periods[0].start;
  const total = Math.max(...periods.map(({ end }) => end)) - origin || 1;
  return h("ol", { class: "timeline" }, periods.map((period) => row(period, origin, total)));
}

// Steps follow each other immediately, so that a gap is an interruption.
function withInterruptions(periods) {
  return periods.flatMap((period, index) => {
    const previous = periods[index - 1];
    if (!previous || period.start <= previous.end) return [period];
    return [{ label: "Interrupted", start: previous.end, end: period.start, isGap: true }, period];
  });
}

function row({ label, start, end, isCurrent, isGap }, origin, total) {
  const bar = h("span", { class: "timeline-bar" });
  bar.style.setProperty("--start", (start - origin) / total);
  bar.style.setProperty("--length", (end - start) / total);
  return h("li", { class: isGap ? "gap" : isCurrent && "current", "aria-current": isCurrent && "step" },
    h("span", {}, label),
    h("span", { class: "timeline-track", "aria-hidden": "true" }, bar),
    h("span", { class: "count" }, formatDuration((end - start) / 1000)));
}
