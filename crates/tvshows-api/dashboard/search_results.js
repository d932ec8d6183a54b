// The shows that match a query. Responses to superseded queries are discarded.

import { request } from "./api_client.js";
import { connection } from "./connection.js";
import { announce, h, setText } from "./dom.js";
import { formatNumber, pluralize, toSentence } from "./format.js";
import { errorState, noDataState, skeleton } from "./loading.js";
import { runFeed } from "./run_feed.js";
import { currentRoute, urlFor } from "./router.js";
import { FILTERS, filterLabel } from "./show_filters.js";
import { showItem, ShowList } from "./show_list.js";
import { ShowTable } from "./show_table.js";

// The last list and its scroll position, restored when the user returns to it.
let saved = null;

export const lastListUrl = () => saved?.url ?? "#/shows";

const VIEWS = [["", "Cards"], ["table", "Table"]];
const FORMATS = [["csv", "CSV"], ["ndjson", "NDJSON"], ["parquet", "Parquet"]];

export class SearchResults {
  #signal;
  #onFacets;
  #controller = null;
  #current = null;
  #url = null;
  #view = "";
  #sort = null;
  #count = h("p", { class: "muted count", role: "status" });
  #views;
  #cards = h("ol", { class: "list card" });
  #table;
  #placeholder = h("div");
  #more = h("button", { type: "button", class: "more", click: () => this.#loadMore() }, "Show more");
  #downloads = h("p", { class: "downloads muted" });
  element;

  // `onFacets` receives the counts of each list; `onSort` and `onView` the user's choices.
  constructor(signal, { onFacets, onSort, onView }) {
    this.#signal = signal;
    this.#onFacets = onFacets;
    this.#table = new ShowTable(onSort);
    this.#views = VIEWS.map(([view, label]) => h("button", { type: "button", class: "small toggle", value: view, click: () => onView(view) }, label));
    this.element = h("div", {},
      h("div", { class: "results-head" }, this.#count, h("div", { class: "toggles", role: "group", "aria-label": "View" }, this.#views)),
      this.#downloads, this.#placeholder, this.#cards, this.#table.element, this.#more);
    this.#showPlaceholder(skeleton(8));
    const reload = () => this.#load(this.#current.key);
    connection.addEventListener("online", () => this.#current.isLoaded || reload(), { signal });
    // A new snapshot does not change a list that is being read.
    runFeed.addEventListener("published", () => this.#current.list.shows.length || reload(), { signal });
    signal.addEventListener("abort", () => {
      this.#controller?.abort();
      saved = { ...(this.#current.isLoaded && this.#current), url: this.#url, scrollY };
    });
  }

  update(query, sort) {
    const parameters = new URLSearchParams(["q", ...FILTERS].map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));
    this.#downloads.replaceChildren(...downloadLinks(parameters));
    this.#sort = sort;
    parameters.set("sort", sort);
    const key = parameters.toString();
    const view = query.get("view") === "table" ? "table" : "";
    const isOtherView = view !== this.#view;
    this.#view = view;
    for (const button of this.#views) button.setAttribute("aria-pressed", button.value === view);
    // The hash may have changed by the time the view is left.
    this.#url = location.hash;
    if (this.#current?.key === key && this.#current.isLoaded) {
      if (isOtherView) this.#renderShows();
      return;
    }
    if (saved?.key === key) this.#restore(saved);
    else this.#load(key);
    saved = null;
  }

  #restore({ key, list, scrollY: position }) {
    this.#current = { key, list, isLoaded: true };
    this.#renderShows();
    requestAnimationFrame(() => scrollTo(0, position));
  }

  async #load(key) {
    const list = new ShowList(new URLSearchParams(key));
    this.#controller?.abort();
    const controller = new AbortController();
    const { signal } = controller;
    this.#controller = controller;
    this.#current = { key, list, isLoaded: false };
    this.element.setAttribute("aria-busy", "true");
    try {
      const shows = await list.loadNextPage(signal);
      const hasNoData = !shows.length && (await request("shows/stats", { signal })).snapshot === 0;
      if (signal.aborted) return;
      this.#current.isLoaded = true;
      this.#renderShows(hasNoData);
    } catch (error) {
      if (!signal.aborted) this.#showPlaceholder(errorState(error, () => this.#load(key)));
    }
    if (this.#controller === controller) this.element.removeAttribute("aria-busy");
  }

  async #loadMore() {
    const { list } = this.#current;
    this.#more.disabled = true;
    try {
      const shows = await list.loadNextPage(this.#signal);
      if (list !== this.#current.list) return;
      const first = this.#view ? this.#table.append(shows) : this.#appendCards(shows);
      this.#renderState();
      // The button may be gone, so the focus moves to the first new show.
      first?.focus({ preventScroll: true });
    } catch (error) {
      if (!this.#signal.aborted) announce(toSentence(error.message));
    } finally {
      this.#more.disabled = false;
    }
  }

  // Renders the whole list in the selected view.
  #renderShows(hasNoData = false) {
    const { shows, facets } = this.#current.list;
    this.#cards.replaceChildren();
    this.#table.replace(this.#view ? shows : [], this.#sort);
    if (!this.#view) this.#appendCards(shows);
    this.#onFacets(facets);
    this.#renderState(hasNoData);
  }

  #appendCards(shows) {
    const items = shows.map(showItem);
    this.#cards.append(...items);
    return items[0]?.firstChild;
  }

  #renderState(hasNoData = false) {
    const { list } = this.#current;
    const count = list.shows.length;
    const total = pluralize(list.total, "show");
    setText(this.#count, count ? (list.isComplete ? total : `${formatNumber(count)} of ${total}`) : "");
    this.#placeholder.replaceChildren(...(count ? [] : [hasNoData ? noDataState() : noMatchesState(list.unmatched)]));
    this.#cards.hidden = count === 0 || this.#view === "table";
    this.#table.element.hidden = count === 0 || this.#view !== "table";
    this.#more.hidden = list.isComplete;
    this.#downloads.hidden = count === 0;
  }

  #showPlaceholder(placeholder) {
    setText(this.#count, "");
    this.#placeholder.replaceChildren(placeholder);
    for (const element of [this.#cards, this.#table.element, this.#more, this.#downloads]) element.hidden = true;
  }
}

function downloadLinks(filters) {
  const links = FORMATS.map(([extension, format]) => h("a", { href: `export/all_shows.${extension}?${filters}`, download: true, "aria-label": `Download these shows as ${format}` }, format));
  return ["Download these shows: ", ...links.flatMap((link, index) => (index ? [" · ", link] : [link]))];
}

function noMatchesState(unmatched) {
  return h("div", { class: "empty", role: "status" },
    h("p", { class: "empty-title" }, "No matching shows"),
    unmatched.map(suggestions),
    h("p", {}, "Results contain every search word in the name or summary, and match all filters. ", h("a", { href: "#/shows" }, "Clear search and filters"), "."));
}

// Offers similar values instead of one that no show has.
function suggestions({ parameter, value, suggestions: values }) {
  const link = (suggestion) => h("a", { href: urlFor("shows", { ...Object.fromEntries(currentRoute().query), [parameter]: suggestion }) }, suggestion);
  const links = values.map(link).flatMap((suggested, index) => (index ? [" or ", suggested] : [suggested]));
  return h("p", {}, `No show has the ${filterLabel(parameter).toLowerCase()} “${value}”. `, ...(links.length ? ["Did you mean ", ...links, "?"] : []));
}
