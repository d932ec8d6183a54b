// The shows that match a query. Responses to superseded queries are discarded.

import { request } from "./api_client.js";
import { connection } from "./connection.js";
import { announce, h, setText } from "./dom.js";
import { pluralize, toSentence } from "./format.js";
import { errorState, noDataState, skeleton } from "./loading.js";
import { runFeed } from "./run_feed.js";
import { FILTERS } from "./show_filters.js";
import { showItem, ShowList } from "./show_list.js";

// The last list and its scroll position, restored when the user returns to it.
let saved = null;

export const lastListUrl = () => saved?.url ?? "#/shows";

export class SearchResults {
  #signal;
  #controller = null;
  #current = null;
  #url = null;
  #count = h("p", { class: "muted count", role: "status" });
  #items = h("ol", { class: "list card" });
  #placeholder = h("div");
  #more = h("button", { type: "button", class: "more", click: () => this.#loadMore() }, "Show more");
  element = h("div", {}, this.#count, this.#placeholder, this.#items, this.#more);

  constructor(signal) {
    this.#signal = signal;
    this.#showPlaceholder(skeleton(8));
    const reload = () => this.#load(this.#current.key);
    connection.addEventListener("online", () => this.#current.isLoaded || reload(), { signal });
    // A new snapshot does not change a list that is being read.
    runFeed.addEventListener("published", () => this.#items.hidden && reload(), { signal });
    signal.addEventListener("abort", () => {
      this.#controller?.abort();
      saved = { ...(this.#current.isLoaded && this.#current), url: this.#url, scrollY };
    });
  }

  update(query, sort) {
    const parameters = new URLSearchParams(["q", ...FILTERS].map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));
    parameters.set("sort", sort);
    const key = parameters.toString();
    if (this.#current?.key === key && this.#current.isLoaded) return;
    // The hash may have changed by the time the view is left.
    this.#url = location.hash;
    if (saved?.key === key) this.#restore(saved);
    else this.#load(key);
    saved = null;
  }

  #restore({ key, list, scrollY: position }) {
    this.#current = { key, list, isLoaded: true };
    this.#items.replaceChildren(...list.shows.map(showItem));
    this.#renderState();
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
      this.#items.replaceChildren(...shows.map(showItem));
      this.#renderState(hasNoData);
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
      const items = shows.map(showItem);
      this.#items.append(...items);
      this.#renderState();
      // The button may be gone, so the focus moves to the first new show.
      items[0]?.firstChild.focus({ preventScroll: true });
    } catch (error) {
      if (!this.#signal.aborted) announce(toSentence(error.message));
    } finally {
      this.#more.disabled = false;
    }
  }

  #renderState(hasNoData = false) {
    const { list } = this.#current;
    const count = list.shows.length;
    setText(this.#count, count ? `${list.isComplete ? "" : "First "}${pluralize(count, "show")}` : "");
    this.#placeholder.replaceChildren(...(count ? [] : [hasNoData ? noDataState() : noMatchesState()]));
    this.#items.hidden = count === 0;
    this.#more.hidden = list.isComplete;
  }

  #showPlaceholder(placeholder) {
    setText(this.#count, "");
    this.#placeholder.replaceChildren(placeholder);
    this.#items.hidden = true;
    this.#more.hidden = true;
  }
}

function noMatchesState() {
  return h("div", { class: "empty", role: "status" },
    h("p", { class: "empty-title" }, "No matching shows"),
    h("p", {}, "Results contain every search word in the name or summary, and match all filters. ", h("a", { href: "#/shows" }, "Clear search and filters"), "."));
}
