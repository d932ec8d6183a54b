// The search filters: form fields, and chips for the active ones. Their values are stored in the URL.

import { request } from "./api_client.js";
import { h } from "./dom.js";
import { formatNumber } from "./format.js";

const LABELS = {
  language: "Language",
  genre: "Genre",
  status: "Status",
  network: "Network or web channel",
  premiered_from: "Premiered from",
  premiered_to: "Premiered to",
  min_rating: "Minimum rating",
};
export const FILTERS = Object.keys(LABELS);

const STATS_KEYS = { language: "languages", genre: "genres", status: "statuses", network: "networks" };
const DESKTOP = "(min-width: 52rem)";

export class ShowFilters {
  #selects = Object.keys(STATS_KEYS).map((name) => h("select", { name }, h("option", { value: "" }, "Any")));
  #year = { type: "number", min: 1000, max: 9999, placeholder: "Year", inputmode: "numeric" };
  #from = h("input", { name: "premiered_from", ...this.#year });
  #to = h("input", { name: "premiered_to", ...this.#year });
  #rating = h("input", { name: "min_rating", type: "number", min: 0, max: 10, step: 0.1, placeholder: "0–10", inputmode: "decimal" });
  #fields = [...this.#selects, this.#from, this.#to, this.#rating];
  element;

  constructor(onChange) {
    const change = () => {
      if (this.#fields.every((field) => field.reportValidity())) onChange(this.#values());
    };
    const label = (field) => h("label", {}, h("span", {}, LABELS[field.name]), field);
    const form = h("form", { class: "filters", change, submit: (event) => { event.preventDefault(); change(); } },
      this.#selects.map(label), h("div", { class: "pair" }, label(this.#from), label(this.#to)), label(this.#rating),
      h("button", { class: "visually-hidden", tabindex: "-1" }, "Apply"));
    this.element = h("details", { class: "card", open: matchMedia(DESKTOP).matches },
      h("summary", {}, "Filters"), form);
    this.#loadOptions();
  }

  // Sets the fields from the URL's query.
  update(query) {
    for (const field of this.#fields) {
      const value = query.get(field.name) ?? "";
      if (field.matches("select")) ensureOption(field, value);
      field.value = value;
    }
  }

  #values() {
    return Object.fromEntries(this.#fields.map(({ name, value }) => [name, value]));
  }

  // The filters also work without these options, so a failure is not reported.
  async #loadOptions() {
    const stats = await request("shows/stats").catch(() => null);
    if (!stats) return;
    for (const select of this.#selects) {
      const { value } = select;
      const known = stats[STATS_KEYS[select.name]].filter((count) => count.value !== null);
      const options = known.map((count) => h("option", { value: count.value }, `${count.value} (${formatNumber(count.count)})`));
      select.replaceChildren(select.options[0], ...options);
      ensureOption(select, value);
      select.value = value;
    }
  }
}

// The statistics list only the most frequent networks, and a URL can contain any value.
function ensureOption(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(h("option", { value }, value));
}

// The active filters, each with a button to remove it. Null if there are none.
export function filterChips(query, onRemove) {
  const active = FILTERS.filter((name) => query.get(name));
  if (!active.length) return null;
  const chip = (name) => h("li", {},
    h("button", { type: "button", class: "chip", click: () => onRemove([name]) },
      `${LABELS[name]}: ${query.get(name)}`, h("span", { class: "visually-hidden" }, ", remove"), h("span", { "aria-hidden": "true" }, " ×")));
  return h("ul", { class: "chips", "aria-label": "Active filters" }, active.map(chip),
    active.length > 1 && h("li", {}, h("button", { type: "button", class: "plain", click: () => onRemove(active) }, "Clear all")));
}
