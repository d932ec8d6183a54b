// The list of shows that a query finds, read on as far as somebody wants to see.

import { h } from "./elements.js";
import { channel, rating, years } from "./format.js";
import { poster } from "./poster.js";
import { address } from "./route.js";
import { ask } from "./service.js";

const PAGE = 40;
const FIELDS = "id,name,type,language,genres,status,premiered,ended,rating,network,webChannel,image";

export class ShowList {
  shows = [];
  #cursor = null;
  #query;

  constructor(query) {
    this.#query = query;
  }

  get isWhole() {
    return this.#cursor === null;
  }

  // Reads the next shows, and gives them.
  async more(signal) {
    const query = new URLSearchParams(this.#query);
    query.set("limit", PAGE);
    query.set("fields", FIELDS);
    if (this.#cursor) query.set("cursor", this.#cursor);
    const { shows, next_cursor: next } = await ask(`shows?${query}`, { signal });
    this.#cursor = next;
    this.shows.push(...shows);
    return shows;
  }
}

export function showItem(show) {
  const facts = [show.type, show.language, show.genres.join(", "), channel(show)].filter(Boolean);
  return h("li", {}, h("a", { class: "show", href: address(`shows/${show.id}`) },
    poster(show.image?.medium, show.name, { kind: "thumb" }),
    h("span", { class: "show-text" },
      h("span", { class: "show-name" }, show.name, " ", h("span", { class: "quiet" }, years(show))),
      h("span", { class: "quiet" }, facts.join(" · "))),
    ratingMark(show.rating?.average)));
}

export function ratingMark(value) {
  const words = value == null ? "not rated" : `rated ${rating(value)} of 10`;
  return h("span", { class: "rating", "data-unrated": value == null },
    h("span", { "aria-hidden": "true" }, value == null ? "–" : `★ ${rating(value)}`), h("span", { class: "unseen" }, words));
}
