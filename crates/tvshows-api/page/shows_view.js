// Finds shows: a search while somebody types, filters, an order; all of it in the address.

import { h } from "./elements.js";
import { FoundShows } from "./found_shows.js";
import { address, go, route } from "./route.js";
import { chips, FILTERS, ShowFilters } from "./show_filters.js";

const TYPING_MILLISECONDS = 200;
const ORDERS = [
  ["-weight", "Most popular"],
  ["-rating", "Best rated"],
  ["rating", "Worst rated"],
  ["-premiered", "Newest"],
  ["premiered", "Oldest"],
  ["name", "Name"],
  ["-updated", "Last changed"],
];
const BY_RELEVANCE = ["relevance", "Best match"];

export function showsView({ query, signal, heading, title, onUpdate }) {
  title("Shows");
  const search = h("input", { type: "search", id: "q", name: "q", maxlength: 200, autocomplete: "off", spellcheck: "false", placeholder: "A name, or words of the summary" });
  const order = h("select", { id: "sort" });
  const filters = new ShowFilters((values) => set(values));
  const found = new FoundShows(signal);
  const marks = h("div");
  let typing = null;
  let isTyped = false;

  const set = (changes, options) => {
    const kept = Object.fromEntries([...FILTERS, "sort"].map((name) => [name, route().query.get(name)]));
    go(address("shows", { q: search.value.trim(), ...kept, ...changes }), options);
  };
  const type = () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      // One word is one step back, not one for each letter.
      set({}, { replace: isTyped });
      isTyped = true;
    }, TYPING_MILLISECONDS);
  };
  const update = (now) => {
    const q = now.get("q") ?? "";
    if (search.value.trim() !== q) search.value = q;
    filters.show(now);
    showOrders(order, q, now.get("sort"));
    marks.replaceChildren(...[chips(now, (names) => {
      set(Object.fromEntries(names.map((name) => [name, ""])));
      search.focus();
    })].filter(Boolean));
    found.show(now, order.value);
  };
  search.addEventListener("input", type);
  search.addEventListener("blur", () => { isTyped = false; });
  order.addEventListener("change", () => set({ sort: order.value === order.options[0].value ? "" : order.value }));
  signal.addEventListener("abort", () => clearTimeout(typing));
  onUpdate((now) => {
    if (document.activeElement !== search) isTyped = false;
    update(now);
  });
  update(query);
  return [
    heading,
    h("form", { class: "search", role: "search", submit: (event) => { event.preventDefault(); type(); } },
      h("label", { for: "q", class: "unseen" }, "Search the shows"), search,
      h("label", { class: "inline" }, h("span", {}, "Sort"), order)),
    h("div", { class: "shows" },
      filters.element,
      h("section", { class: "results", "aria-label": "Shows found" }, marks, found.element)),
  ];
}

function showOrders(order, q, sort) {
  const orders = q ? [BY_RELEVANCE, ...ORDERS] : ORDERS;
  order.replaceChildren(...orders.map(([value, name]) => h("option", { value }, name)));
  order.value = orders.some(([value]) => value === sort) ? sort : orders[0][0];
}
