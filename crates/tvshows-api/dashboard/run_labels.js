// Display text for a run: its state, parameters and summary.

import { h } from "./dom.js";
import { capitalize, formatDuration, formatNumber, pluralize } from "./format.js";

export const stateLabel = (run) => capitalize(run.state);

export function stateBadge(run) {
  return h("span", { class: `state ${run.state}` }, stateLabel(run));
}

export function parameterLabel({ years, top, mode }) {
  return `mode ${mode} · top ${formatNumber(top)} · ${years === 0 ? "this year" : `last ${pluralize(years, "year")}`}`;
}

// Null before the run has started.
export function elapsedSeconds({ started_at: start, finished_at: end }, now = Date.now()) {
  if (!start) return null;
  return Math.max(0, ((end ? Date.parse(end) : now) - Date.parse(start)) / 1000);
}

export function runSummary(run) {
  switch (run.state) {
    case "queued": return run.position ? `${pluralize(run.position, "run")} ahead` : "Waiting to start";
    case "succeeded": return `Published in ${formatDuration(elapsedSeconds(run))}: ${changeSummary(run)}`;
    case "failed": return "Failed; published data is unchanged";
    case "cancelled": return "Cancelled; published data is unchanged";
    case "interrupted": return "Interrupted; resumes when the service restarts";
    default: return run.step;
  }
}

function changeSummary({ added, changed, deleted, unchanged }) {
  const changes = Object.entries({ added, changed, deleted }).filter(([, count]) => count);
  if (!changes.length) return `no changes, ${pluralize(unchanged, "show")} up to date`;
  return changes.map(([name, count]) => `${formatNumber(count)} ${name}`).join(", ");
}
