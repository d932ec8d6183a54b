// What narrows the list of shows: the fields, and the chips that tell what is set. All of it is in the address.

import { h } from "./elements.js";
import { number } from "./format.js";
import { ask } from "./service.js";

export const FILTERS = ["language", "genre", "status", "network", "premiered_from", "premiered_to", "min_rating"];

const NAMES = {
  language: "Language",
  genre: "Genre",
  status: "Status",
  network: "Network or channel",
  premiered_from: "Premiered from",
  premiered_to: "Premiered to",
  min_rating: "Rating at least",
};
const COUNTS = { language: "languages", genre: "genres", status: "statuses", network: "networks" };
const DESKTOP = "(min-width: 52rem)";

export class ShowFilters {
  #selects = Object.keys(COUNTS).map((name) => h("select", { name }, h("option", { value: "" }, "Any")));
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
    const label = (field) => h("label", {}, h("span", {}, NAMES[field.name]), field);
    const form = h("form", { class: "filters", change, submit: (event) => { event.preventDefault(); change(); } },
      this.#selects.map(label), h("div", { class: "pair" }, label(this.#from), label(this.#to)), label(this.#rating),
      h("button", { class: "unseen", tabindex: "-1" }, "Apply"));
    this.element = h("details", { class: "card narrow", open: matchMedia(DESKTOP).matches },
      h("summary", {}, "Filters"), form);
    this.#offer();
  }

  // Sets the fields to what the address says.
  show(query) {
    for (const field of this.#fields) {
      const value = query.get(field.name) ?? "";
      if (field.matches("select")) offerValue(field, value);
      field.value = value;
    }
  }

  #values() {
    return Object.fromEntries(this.#fields.map(({ name, value }) => [name, value]));
  }

  // The lists work without the counts, with what is chosen already: nothing else to choose is no error.
  async #offer() {
    const stats = await ask("shows/stats").catch(() => null);
    if (!stats) return;
    for (const select of this.#selects) {
      const { value } = select;
      const known = stats[COUNTS[select.name]].filter((count) => count.value !== null);
      const options = known.map((count) => h("option", { value: count.value }, `${count.value} (${number(count.count)})`));
      select.replaceChildren(select.options[0], ...options);
      offerValue(select, value);
      select.value = value;
    }
  }
}

// Only the most frequent networks are known, and an address may name any.
function offerValue(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(h("option", { value }, value));
}

// What is set, each with a button that takes it away.
export function chips(query, onRemove) {
  const set = FILTERS.filter((name) => query.get(name));
  if (!set.length) return null;
  const chip = (name) => h("li", {},
    h("button", { type: "button", class: "chip", click: () => onRemove([name]) },
      `${NAMES[name]}: ${query.get(name)}`, h("span", { class: "unseen" }, ", remove"), h("span", { "aria-hidden": "true" }, " ×")));
  return h("ul", { class: "chips", "aria-label": "Filters that are set" }, set.map(chip),
    set.length > 1 && h("li", {}, h("button", { type: "button", class: "plain", click: () => onRemove(set) }, "Clear all")));
}
