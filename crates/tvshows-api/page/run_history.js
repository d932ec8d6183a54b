// The runs that are over, as a table; on a narrow page each is a card. What failed tells its whole error.

import { h } from "./elements.js";
import { duration, moment, number } from "./format.js";
import { address } from "./route.js";
import { secondsOf, stateMark } from "./run_words.js";

const COUNTS = ["added", "changed", "deleted", "unchanged"];

export function runHistory(runs) {
  if (!runs.length) return h("p", { class: "empty" }, "No update has ended yet.");
  const names = ["Outcome", "Started", "Duration", "Added", "Changed", "Deleted", "Unchanged", "Requests"];
  // The roles say again what the elements are: laid out as cards, browsers forget it.
  return h("table", { class: "history", role: "table" },
    h("caption", { class: "unseen" }, "Ended runs, newest first"),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
      names.map((name, index) => h("th", { scope: "col", role: "columnheader", class: index > 1 && "count" }, name)))),
    h("tbody", { role: "rowgroup" }, runs.flatMap((run) => rows(run, names))));
}

function rows(run, names) {
  const seconds = secondsOf(run);
  const isPublished = run.state === "succeeded";
  const cells = [
    stateMark(run),
    h("a", { href: address(`runs/${run.request_id}`) }, run.started_at ? moment(run.started_at) : "never"),
    seconds == null ? "–" : duration(seconds),
    ...COUNTS.map((key) => (isPublished ? number(run[key]) : "–")),
    number(run.requests),
  ];
  const cell = (content, index) => h("td", { role: "cell", class: index > 1 && "count", "data-name": names[index] }, content);
  const row = h("tr", { role: "row" }, cells.map(cell));
  if (!run.error) return [row];
  const error = h("td", { role: "cell", colspan: cells.length }, h("pre", { class: "error" }, run.error));
  row.className = "with-error";
  return [row, h("tr", { role: "row", class: "error-row" }, error)];
}
