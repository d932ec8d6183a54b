// A table of past runs, with the full error of each failed one. On narrow screens each row becomes a card.

import { h } from "./dom.js";
import { capitalize, formatDateTime, formatDuration, formatNumber } from "./format.js";
import { urlFor } from "./router.js";
import { elapsedSeconds, stateBadge } from "./run_labels.js";

const COLUMNS = ["State", "Started", "Duration", "Added", "Changed", "Deleted", "Unchanged", "Requests"];
const CHANGE_COUNTS = ["added", "changed", "deleted", "unchanged"];

export function runHistory(runs) {
  if (!runs.length) return h("p", { class: "empty" }, "No past runs.");
  // Explicit roles, because browsers drop the implicit ones when CSS lays the table out as cards.
  return h("table", { class: "history", role: "table" },
    h("caption", { class: "visually-hidden" }, "Past runs, newest first"),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
      COLUMNS.map((name, index) => h("th", { scope: "col", role: "columnheader", class: index > 1 && "count" }, name)))),
    h("tbody", { role: "rowgroup" }, runs.flatMap(rows)));
}

function rows(run) {
  const seconds = elapsedSeconds(run);
  const isPublished = run.state === "succeeded";
  const cells = [
    stateBadge(run),
    h("a", { href: urlFor(`runs/${run.request_id}`) }, run.started_at ? capitalize(formatDateTime(run.started_at)) : "Not started"),
    seconds == null ? "–" : formatDuration(seconds),
    ...CHANGE_COUNTS.map((key) => (isPublished ? formatNumber(run[key]) : "–")),
    formatNumber(run.requests),
  ];
  const cell = (content, index) => h("td", { role: "cell", class: index > 1 && "count", "data-column": COLUMNS[index] }, content);
  const row = h("tr", { role: "row" }, cells.map(cell));
  if (!run.error) return [row];
  row.className = "has-error";
  const error = h("td", { role: "cell", colspan: cells.length }, h("pre", { class: "error" }, run.error));
  return [row, h("tr", { role: "row", class: "error-row" }, error)];
}
