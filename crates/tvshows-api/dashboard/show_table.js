// Shows as a table. The headers of most columns sort it.

import { h } from "./dom.js";
import { formatRating, networkCountry, networkName } from "./format.js";
import { urlFor } from "./router.js";

// The label, the sort key, whether the first click sorts in descending order, and the content.
const COLUMNS = [
  ["Name", "name", false, (show) => h("a", { href: urlFor(`shows/${show.id}`) }, show.name)],
  ["Premiered", "premiered", true, (show) => show.premiered],
  ["Rating", "rating", true, (show) => show.rating.average != null && formatRating(show.rating.average)],
  ["Popularity", "weight", true, (show) => show.weight],
  ["Type", null, false, (show) => show.type],
  ["Status", null, false, (show) => show.status],
  ["Language", null, false, (show) => show.language],
  ["Genres", null, false, (show) => show.genres.join(", ")],
  ["Network", null, false, networkName],
  ["Country", null, false, networkCountry],
];

// `element` is a scrollable region, because the table can be wider than a phone.
export class ShowTable {
  #onSort;
  #header = h("tr");
  #rows = h("tbody");
  element = h("div", { class: "card show-table", tabindex: "0", role: "region", "aria-label": "Table of shows" },
    h("table", {}, h("thead", {}, this.#header), this.#rows));

  constructor(onSort) {
    this.#onSort = onSort;
  }

  // Sets the rows and marks the column that they are sorted by.
  replace(shows, sort) {
    const focused = [...this.#header.children].findIndex((cell) => cell.contains(document.activeElement));
    this.#header.replaceChildren(...COLUMNS.map((column) => this.#headerCell(column, sort)));
    this.#header.children[focused]?.firstChild.focus?.();
    this.#rows.replaceChildren(...shows.map(row));
  }

  // Returns the link of the first new row.
  append(shows) {
    const rows = shows.map(row);
    this.#rows.append(...rows);
    return rows[0]?.querySelector("a");
  }

  #headerCell([label, key, isDescendingFirst], sort) {
    if (!key) return h("th", { scope: "col" }, label);
    const isDescending = sort === `-${key}`;
    const order = isDescending ? "descending" : sort === key ? "ascending" : null;
    const next = order === null ? isDescendingFirst : !isDescending;
    const arrow = { ascending: " ↑", descending: " ↓" }[order] ?? "";
    return h("th", { scope: "col", "aria-sort": order },
      h("button", { type: "button", class: "plain", click: () => this.#onSort(next ? `-${key}` : key) }, label, h("span", { "aria-hidden": "true" }, arrow)));
  }
}

function row(show) {
  return h("tr", {}, COLUMNS.map(([, key, , content], index) => {
    const value = content(show);
    const cell = value == null || value === false || value === "" ? "–" : value;
    return index === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: key && "number" }, cell);
  }));
}
