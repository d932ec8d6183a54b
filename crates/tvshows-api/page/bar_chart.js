// Charts of counts, whose bars are links in a list: a screen reader reads them as they are, the keyboard reaches
// them, and they need no drawing library. Beside each is the same as a table.

import { h } from "./elements.js";
import { number, plural } from "./format.js";

const SHOWN_ROWS = 12;
const KEYS = { ArrowRight: 1, ArrowLeft: -1 };

// Bars side by side, for values that have an order. One of them is in the order of the Tab key, the arrows lead
// to the others.
export function columnChart({ name, counts, to, without, label = String, mark = label, isMarked = () => true, hint, isWide = false }) {
  const known = counts.filter(({ value }) => value !== null);
  const most = Math.max(...known.map(({ count }) => count), 1);
  const columns = known.map(({ value, count }, index) => {
    const bar = h("span", { class: "bar", "aria-hidden": "true", "data-none": count === 0 });
    bar.style.setProperty("--share", count / most);
    const words = `${label(value)}: ${plural(count, "show")}`;
    return h("li", {}, h("a", { href: to(value), "aria-label": words, title: words, tabindex: index === known.length - 1 ? null : "-1" },
      bar, h("span", { class: "tick", "aria-hidden": "true" }, isMarked(value) ? mark(value) : "")));
  });
  const move = (event) => {
    const step = KEYS[event.key];
    const next = step && event.target.closest("li")?.[step > 0 ? "nextElementSibling" : "previousElementSibling"];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.firstChild.tabIndex = 0;
    next.firstChild.focus();
  };
  const plot = h("ol", { class: "columns", keydown: move }, columns);
  // Where not all of it has room, what is newest is seen first.
  requestAnimationFrame(() => { plot.scrollLeft = plot.scrollWidth; });
  const axis = h("p", { class: "axis", "aria-hidden": "true" }, number(most));
  return frame({ name, counts, label, without, hint, isWide }, h("div", { class: "plot" }, axis, plot));
}

// Bars below each other, for names.
export function rowChart({ name, counts, to, without }) {
  const known = counts.filter(({ value }) => value !== null);
  const most = Math.max(...known.map(({ count }) => count), 1);
  const rows = known.map(({ value, count }, index) => {
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", count / most);
    return h("li", { hidden: index >= SHOWN_ROWS }, h("a", { href: to(value) },
      h("span", { class: "row-name" }, value), bar,
      h("span", { class: "count" }, number(count), h("span", { class: "unseen" }, " shows"))));
  });
  const more = h("button", { type: "button", class: "plain", hidden: rows.length <= SHOWN_ROWS, click: () => {
    for (const row of rows) row.hidden = false;
    more.hidden = true;
    rows[SHOWN_ROWS].firstChild.focus();
  } }, `All ${rows.length}`);
  return frame({ name, counts, label: String, without }, h("ol", { class: "rows" }, rows), more);
}

function frame({ name, counts, label, without, hint, isWide }, ...chart) {
  const id = `chart-${name.toLowerCase().replaceAll(" ", "-")}`;
  const missing = counts.find(({ value }) => value === null)?.count;
  const body = counts.map(({ value, count }) =>
    h("tr", {}, h("th", { scope: "row" }, value === null ? without : label(value)), h("td", { class: "count" }, number(count))));
  return h("section", { class: `card chart${isWide ? " wide" : ""}`, "aria-labelledby": id },
    h("h2", { id }, name), chart,
    h("p", { class: "quiet small" }, [missing && `${number(missing)} with ${without}.`.replace("with not", "not"), hint].filter(Boolean).join(" ")),
    h("details", { class: "as-table" }, h("summary", {}, "As a table"),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${name} as a table` },
        h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, name), h("th", { scope: "col", class: "count" }, "Shows"))), h("tbody", {}, body)))));
}
