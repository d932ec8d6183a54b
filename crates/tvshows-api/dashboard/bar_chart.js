// Charts of counts, built as lists of links: screen readers read them, the keyboard reaches every bar, and no
// drawing library is needed. Each chart is also available as a table.

import { h } from "./dom.js";
import { capitalize, formatNumber, pluralize } from "./format.js";

const INITIAL_ROWS = 12;
// With more, a column may be narrower than its label.
const MAX_WIDE_COLUMNS = 12;
const ARROW_STEPS = { ArrowRight: 1, ArrowLeft: -1 };

// Vertical bars, for ordered values. Tab reaches one bar, and the arrow keys move between them.
export function columnChart({ name, counts, urlOf, missing, label = String, tick = label, hasTick = () => true, hint }) {
  const known = counts.filter(({ value }) => value !== null);
  const max = Math.max(...known.map(({ count }) => count), 1);
  const columns = known.map(({ value, count }, index) => {
    const bar = h("span", { class: "bar", "aria-hidden": "true", "data-empty": count === 0 });
    bar.style.setProperty("--share", count / max);
    const text = `${label(value)}: ${pluralize(count, "show")}`;
    return h("li", {}, h("a", { href: urlOf(value), "aria-label": text, title: text, tabindex: index === known.length - 1 ? null : "-1" },
      bar, h("span", { class: "tick", "aria-hidden": "true" }, hasTick(value) && h("span", { class: "tick-label" }, tick(value)))));
  });
  const moveFocus = (event) => {
    const step = ARROW_STEPS[event.key];
    const next = step && event.target.closest("li")?.[step > 0 ? "nextElementSibling" : "previousElementSibling"];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.firstChild.tabIndex = 0;
    next.firstChild.focus();
  };
  const plot = h("ol", { class: `columns${columns.length > MAX_WIDE_COLUMNS ? " dense" : ""}`, keydown: moveFocus }, columns);
  // A plot that is too wide starts at its end, where the newest values are.
  requestAnimationFrame(() => { plot.scrollLeft = plot.scrollWidth; });
  hideClippedTicks(plot);
  const axis = h("p", { class: "axis", "aria-hidden": "true" }, formatNumber(max));
  return chartCard({ name, counts, label, missing, hint }, h("div", { class: "plot" }, axis, plot));
}

// Hides the tick labels that the edges of a scrolled plot would cut.
function hideClippedTicks(plot) {
  const observer = new IntersectionObserver((entries) => {
    for (const { target, intersectionRatio } of entries) target.classList.toggle("clipped", intersectionRatio < 0.99);
  }, { root: plot, threshold: 0.99 });
  for (const label of plot.querySelectorAll(".tick-label")) observer.observe(label);
}

// Horizontal bars, for named values.
export function rowChart({ name, counts, urlOf, missing }) {
  const known = counts.filter(({ value }) => value !== null);
  const max = Math.max(...known.map(({ count }) => count), 1);
  const rows = known.map(({ value, count }, index) => {
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", count / max);
    return h("li", { hidden: index >= INITIAL_ROWS }, h("a", { href: urlOf(value) },
      h("span", { class: "row-name" }, value), bar,
      h("span", { class: "count" }, formatNumber(count), h("span", { class: "visually-hidden" }, count === 1 ? " show" : " shows"))));
  });
  const more = h("button", { type: "button", class: "plain", hidden: rows.length <= INITIAL_ROWS, click: () => {
    for (const row of rows) row.hidden = false;
    more.hidden = true;
    rows[INITIAL_ROWS].firstChild.focus();
  } }, `Show all ${rows.length}`);
  return chartCard({ name, counts, label: String, missing }, h("ol", { class: "rows" }, rows), more);
}

function chartCard({ name, counts, label, missing, hint }, ...chart) {
  const id = `chart-${name.toLowerCase().replaceAll(" ", "-")}`;
  const missingCount = counts.find(({ value }) => value === null)?.count;
  const notes = [missingCount && `${capitalize(missing)}: ${formatNumber(missingCount)}.`, hint];
  const rows = counts.map(({ value, count }) =>
    h("tr", {}, h("th", { scope: "row" }, value === null ? capitalize(missing) : label(value)), h("td", { class: "count" }, formatNumber(count))));
  return h("section", { class: "card chart", "aria-labelledby": id },
    h("h2", { id }, name), chart,
    h("p", { class: "muted small" }, notes.filter(Boolean).join(" ")),
    h("details", { class: "chart-table" }, h("summary", {}, "Show as table"),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${name} as a table` },
        h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, name), h("th", { scope: "col", class: "count" }, "Shows"))), h("tbody", {}, rows)))));
}
