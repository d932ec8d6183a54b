// Finds shows: a search while somebody types, filters, an order; all of it in the address.

import { announce, h, write } from "./elements.js";
import { connection } from "./connection.js";
import { plural } from "./format.js";
import { failure, nothingYet, skeleton } from "./loading.js";
import { address, go, route } from "./route.js";
import { runs } from "./runs.js";
import { ask } from "./service.js";
import { chips, FILTERS, ShowFilters } from "./show_filters.js";
import { ShowList, showItem } from "./show_list.js";

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

// The list that was left last and how far it was scrolled, for who comes back to it.
let left = null;

export const lastList = () => left?.address ?? "#/shows";

export function showsView({ query, signal, heading, title, onUpdate }) {
  title("Shows");
  const search = h("input", { type: "search", id: "q", name: "q", maxlength: 200, autocomplete: "off", spellcheck: "false", placeholder: "A name, or words of the summary" });
  const order = h("select", { id: "sort" });
  const filters = new ShowFilters((values) => set(values));
  const found = new Found(signal);
  const marks = h("div");
  let typing = null;
  let isTyped = false;

  const set = (changes, options) => {
    const next = Object.fromEntries(["q", ...FILTERS, "sort"].map((name) => [name, route().query.get(name)]));
    go(address("shows", { ...next, ...changes }), options);
  };
  const type = () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      const q = search.value.trim();
      // One word is one step back, not one for each letter.
      set({ q, ...(!q && order.value === "relevance" && { sort: "" }) }, { replace: isTyped });
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

// What a query finds. An answer to an earlier query is dropped.
class Found {
  #signal;
  #asked = null;
  #list = null;
  #count = h("p", { class: "quiet count", role: "status" });
  #items = h("ol", { class: "list card" });
  #state = h("div");
  #more = h("button", { type: "button", class: "more", click: () => this.#readOn() }, "Show more");
  element = h("div", {}, this.#count, this.#state, this.#items, this.#more);

  constructor(signal) {
    this.#signal = signal;
    this.#empty(skeleton(8));
    const again = () => this.#read(this.#list.key);
    connection.addEventListener("found", () => this.#list?.hasFailed && again(), { signal });
    // Who reads a list reads on in it, whatever is published meanwhile.
    runs.addEventListener("published", () => this.#items.hidden && again(), { signal });
    // A step back finds the list as it was left.
    signal.addEventListener("abort", () => {
      this.#asked?.abort();
      if (this.#list && !this.#list.hasFailed) left = { ...this.#list, scrolled: scrollY };
    });
  }

  show(query, sort) {
    const asked = new URLSearchParams(["q", ...FILTERS].map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));
    asked.set("sort", sort);
    const key = asked.toString();
    if (this.#list?.key === key && !this.#list.hasFailed) return;
    if (left?.key === key) this.#restore(left);
    else this.#read(key);
    left = null;
  }

  #restore({ key, list, scrolled }) {
    this.#list = { key, list, address: location.hash };
    this.#items.replaceChildren(...list.shows.map(showItem));
    this.#tell();
    requestAnimationFrame(() => scrollTo(0, scrolled));
  }

  async #read(key) {
    const list = new ShowList(new URLSearchParams(key));
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.#list = { key, list, hasFailed: true };
    this.element.setAttribute("aria-busy", "true");
    try {
      const shows = await list.more(asked.signal);
      const isNothing = !shows.length && (await ask("shows/stats", { signal: asked.signal })).snapshot === 0;
      if (asked.signal.aborted) return;
      this.#list = { key, list, address: location.hash };
      this.#items.replaceChildren(...shows.map(showItem));
      this.#tell(isNothing);
    } catch (error) {
      if (!asked.signal.aborted) this.#empty(failure(error, () => this.#read(key)));
    }
    if (this.#asked === asked) this.element.removeAttribute("aria-busy");
  }

  async #readOn() {
    const { list } = this.#list;
    this.#more.disabled = true;
    try {
      const shows = await list.more(this.#signal);
      if (list !== this.#list.list) return;
      const items = shows.map(showItem);
      this.#items.append(...items);
      this.#tell();
      // The button may be gone, and the next show to look at is the first of the new ones.
      items[0]?.firstChild.focus({ preventScroll: true });
    } catch (error) {
      if (!this.#signal.aborted) announce(error.message);
    } finally {
      this.#more.disabled = false;
    }
  }

  #tell(isNothing = false) {
    const { list } = this.#list;
    const count = list.shows.length;
    write(this.#count, count ? `${list.isWhole ? "" : "The first "}${plural(count, "show")}` : "");
    this.#state.replaceChildren(...(count ? [] : [isNothing ? nothingYet() : notFound()]));
    this.#items.hidden = count === 0;
    this.#more.hidden = list.isWhole;
  }

  #empty(state) {
    write(this.#count, "");
    this.#state.replaceChildren(state);
    this.#items.hidden = true;
    this.#more.hidden = true;
  }
}

function notFound() {
  return h("div", { class: "empty", role: "status" },
    h("p", { class: "empty-title" }, "No show is like that"),
    h("p", {}, "Every word must be in the name or the summary, and every filter must hold. ", h("a", { href: "#/shows" }, "Begin anew"), "."));
}
