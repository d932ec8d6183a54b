// The words for a run: its state, its parameters, its outcome.

import { h } from "./elements.js";
import { duration, number, plural } from "./format.js";

const STATES = {
  queued: "Queued",
  running: "Running",
  succeeded: "Succeeded",
  failed: "Failed",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
};

export const stateWord = (run) => STATES[run.state] ?? run.state;

export function stateMark(run) {
  return h("span", { class: `state ${run.state}` }, stateWord(run));
}

export function parameters({ years, top, mode }) {
  return `mode ${mode} · top ${number(top)} · ${years === 0 ? "this year" : `last ${plural(years, "year")}`}`;
}

export function secondsOf({ started_at: started, finished_at: finished }, now = Date.now()) {
  if (!started) return null;
  return Math.max(0, ((finished ? Date.parse(finished) : now) - Date.parse(started)) / 1000);
}

// One sentence about a run, for those who hear it.
export function outcome(run) {
  switch (run.state) {
    case "queued": return run.position ? `Waits for ${plural(run.position, "run")} before it` : "Waits for its turn";
    case "running": return run.step;
    case "succeeded": return `Published in ${duration(secondsOf(run))}: ${changes(run)}`;
    case "failed": return "Failed: no table was changed";
    case "cancelled": return "Cancelled: no table was changed";
    case "interrupted": return "Its process ended; it goes on when a service starts again";
    default: return run.step;
  }
}

function changes({ added, changed, deleted, unchanged }) {
  const counts = Object.entries({ added, changed, deleted }).filter(([, count]) => count);
  if (!counts.length) return `nothing new, ${plural(unchanged, "show")} as they were`;
  return counts.map(([name, count]) => `${number(count)} ${name}`).join(", ");
}
