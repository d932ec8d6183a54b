// The search filters: form fields, and chips for the active ones. Their values are stored in the URL.

import { h } from "./dom.js";
import { formatNumber } from "./format.js";

const LABELS = {
  genre: "Genre",
  language: "Language",
  status: "Status",
  type: "Type",
  network: "Network or web channel",
  country: "Country",
  day: "Day",
  premiered_from: "Premiered from",
  premiered_to: "Premiered to",
  min_rating: "Minimum rating",
  max_rating: "Maximum rating",
};
export const FILTERS = Object.keys(LABELS);
export const FACETS = FILTERS.slice(0, FILTERS.indexOf("premiered_from"));
export const filterLabel = (name) => LABELS[name];

// The value that matches shows without one.
const NONE = "-";
export const DESKTOP = "(min-width: 52rem)";
const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export class ShowFilters {
  #selects = FACETS.map((name) => h("select", { name }, h("option", { value: "" }, "Any")));
  #year = { type: "number", min: 1000, max: 9999, placeholder: "Year", inputmode: "numeric" };
  #from = h("input", { name: "premiered_from", ...this.#year });
  #to = h("input", { name: "premiered_to", ...this.#year });
  #rating = { type: "number", min: 0, max: 10, step: 0.1, placeholder: "0–10", inputmode: "decimal" };
  #min = h("input", { name: "min_rating", ...this.#rating });
  #max = h("input", { name: "max_rating", ...this.#rating });
  #fields = [...this.#selects, this.#from, this.#to, this.#min, this.#max];
  element;

  constructor(onChange) {
    const change = () => {
      if (this.#fields.every((field) => field.reportValidity())) onChange(this.#values());
    };
    const label = (field) => h("label", {}, h("span", {}, LABELS[field.name]), field);
    const pair = (...fields) => h("div", { class: "pair" }, fields.map(label));
    const form = h("form", { class: "filters", change, submit: (event) => { event.preventDefault(); change(); } },
      this.#selects.map(label), pair(this.#from, this.#to), pair(this.#min, this.#max),
      h("button", { class: "visually-hidden", tabindex: "-1" }, "Apply"));
    this.element = h("details", { class: "card", open: matchMedia(DESKTOP).matches },
      h("summary", {}, "Filters"), form);
  }

  // Sets the fields from the URL's query.
  update(query) {
    for (const field of this.#fields) {
      const value = query.get(field.name) ?? "";
      if (field.matches("select")) select(field, value);
      else field.value = value;
    }
  }

  // Offers the values that shows have within the other filters.
  setFacets(facets) {
    for (const field of this.#selects) {
      const counts = facets[field.name];
      if (!counts) continue;
      if (field.name === "day") counts.sort((a, b) => DAYS.indexOf(a.value) - DAYS.indexOf(b.value));
      const options = counts.map(({ value, count }) => h("option", { value: value ?? NONE }, `${value ?? "None"} (${formatNumber(count)})`));
      const { value } = field;
      field.replaceChildren(field.options[0], ...options);
      select(field, value);
    }
  }

  #values() {
    return Object.fromEntries(this.#fields.map(({ name, value }) => [name, value]));
  }
}

// Selects a value in any case. Adds it if it is missing: a URL can contain any value, and the counts have only the
// most frequent ones.
function select(field, value) {
  const folded = value.toLowerCase();
  const option = [...field.options].find((known) => known.value.toLowerCase() === folded);
  if (!option) field.append(h("option", { value }, displayed(value)));
  field.value = option?.value ?? value;
}

const displayed = (value) => (value === NONE ? "None" : value);

// The active filters, each with a button to remove it. Null if there are none.
export function filterChips(query, onRemove) {
  const active = FILTERS.filter((name) => query.get(name));
  if (!active.length) return null;
  const chip = (name) => h("li", {},
    h("button", { type: "button", class: "chip", click: () => onRemove([name]) },
      `${LABELS[name]}: ${FACETS.includes(name) ? displayed(query.get(name)) : query.get(name)}`, h("span", { class: "visually-hidden" }, ", remove"), h("span", { "aria-hidden": "true" }, " ×")));
  return h("ul", { class: "chips", "aria-label": "Active filters" }, active.map(chip),
    active.length > 1 && h("li", {}, h("button", { type: "button", class: "plain", click: () => onRemove(active) }, "Clear all")));
}
