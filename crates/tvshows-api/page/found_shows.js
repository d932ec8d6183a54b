// What a query finds. An answer to an earlier query is dropped.

import { connection } from "./connection.js";
import { announce, h, write } from "./elements.js";
import { plural } from "./format.js";
import { failure, nothingYet, skeleton } from "./loading.js";
import { runs } from "./runs.js";
import { ask } from "./service.js";
import { FILTERS } from "./show_filters.js";
import { ShowList, showItem } from "./show_list.js";

// The list that was left last and how far it was scrolled, for who comes back to it.
let left = null;

export const lastList = () => left?.address ?? "#/shows";

export class FoundShows {
  #signal;
  #asked = null;
  #list = null;
  #address = null;
  #count = h("p", { class: "quiet count", role: "status" });
  #items = h("ol", { class: "list card" });
  #state = h("div");
  #more = h("button", { type: "button", class: "more", click: () => this.#readOn() }, "Show more");
  element = h("div", {}, this.#count, this.#state, this.#items, this.#more);

  constructor(signal) {
    this.#signal = signal;
    this.#empty(skeleton(8));
    const again = () => this.#read(this.#list.key);
    connection.addEventListener("found", () => this.#list.isRead || again(), { signal });
    // Who reads a list reads on in it, whatever is published meanwhile.
    runs.addEventListener("published", () => this.#items.hidden && again(), { signal });
    // A step back finds the list as it was left.
    signal.addEventListener("abort", () => {
      this.#asked?.abort();
      left = { ...(this.#list.isRead && this.#list), address: this.#address, scrolled: scrollY };
    });
  }

  show(query, sort) {
    const asked = new URLSearchParams(["q", ...FILTERS].map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));
    asked.set("sort", sort);
    const key = asked.toString();
    if (this.#list?.key === key && this.#list.isRead) return;
    // Taken now: when the answer comes, the address may be another already.
    this.#address = location.hash;
    if (left?.key === key) this.#restore(left);
    else this.#read(key);
    left = null;
  }

  #restore({ key, list, scrolled }) {
    this.#list = { key, list, isRead: true };
    this.#items.replaceChildren(...list.shows.map(showItem));
    this.#tell();
    requestAnimationFrame(() => scrollTo(0, scrolled));
  }

  async #read(key) {
    const list = new ShowList(new URLSearchParams(key));
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.#list = { key, list, isRead: false };
    this.element.setAttribute("aria-busy", "true");
    try {
      const shows = await list.more(asked.signal);
      const isNothing = !shows.length && (await ask("shows/stats", { signal: asked.signal })).snapshot === 0;
      if (asked.signal.aborted) return;
      this.#list.isRead = true;
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
