// A paginated list of shows.

import { request } from "./api_client.js";
import { h } from "./dom.js";
import { formatRating, networkName, yearRange } from "./format.js";
import { poster } from "./poster.js";
import { urlFor } from "./router.js";
import { checkedShow } from "./show_fields.js";
import { FACETS } from "./show_filters.js";

const PAGE_SIZE = 40;
const FIELDS = "id,name,type,language,genres,status,premiered,ended,rating,weight,network,webChannel,image";

export class ShowList {
  shows = [];
  total = 0;
  // For each facet, its values and their numbers of shows within the other filters.
  facets = {};
  // The filters with values that no show has.
  unmatched = [];
  #cursor = null;
  #query;

  constructor(query) {
    this.#query = query;
  }

  get isComplete() {
    return this.#cursor === null;
  }

  // Loads and returns the next page.
  async loadNextPage(signal) {
    const query = new URLSearchParams(this.#query);
    query.set("limit", PAGE_SIZE);
    query.set("fields", FIELDS);
    if (this.#cursor) query.set("cursor", this.#cursor);
    else query.set("facets", FACETS);
    const page = await request(`shows?${query}`, { signal });
    if (!this.#cursor) this.facets = page.facets;
    this.#cursor = page.next_cursor;
    this.total = page.total;
    this.unmatched = page.unmatched ?? [];
    const checked = page.shows.map(checkedShow);
    this.shows.push(...checked);
    return checked;
  }
}

export function showItem(show) {
  const facts = [show.type, show.language, show.genres.join(", "), networkName(show)].filter(Boolean);
  return h("li", {}, h("a", { class: "show", href: urlFor(`shows/${show.id}`) },
    poster(show.image.medium, show.name, { kind: "thumbnail" }),
    h("span", { class: "show-text" },
      h("span", { class: "show-name" }, show.name, " ", h("span", { class: "muted" }, yearRange(show))),
      h("span", { class: "muted" }, facts.join(" · "))),
    ratingLabel(show.rating.average)));
}

export function ratingLabel(value) {
  const text = value == null ? "not rated" : `rated ${formatRating(value)} out of 10`;
  return h("span", { class: "rating", "data-unrated": value == null },
    h("span", { "aria-hidden": "true" }, value == null ? "–" : `★ ${formatRating(value)}`), h("span", { class: "visually-hidden" }, text));
}
