// The top shows with their casts, and the actors who play more than one character in them.

import { request } from "./api_client.js";
import { roleLabel } from "./cast_list.js";
import { h } from "./dom.js";
import { formatNumber, pluralize } from "./format.js";
import { loadInto, noDataState } from "./loading.js";
import { poster } from "./poster.js";
import { urlFor } from "./router.js";
import { checkedShow } from "./show_fields.js";
import { ratingLabel } from "./show_list.js";
import { fetchCast, fetchTopShows } from "./top_shows.js";

const PAGE_SIZE = 20;
const MAX_CAST_NAMES = 6;

export function topView({ signal, heading, title }) {
  title("Top shows");
  const content = loadInto(h("div"), signal, async () => {
    const [shows, actors] = await Promise.all([
      fetchTopShows(signal),
      request("shows/top_shows_multi_char_actors", { signal }),
    ]);
    if (!shows.length) return noDataState();
    return h("div", { class: "top-shows" }, topList(shows, signal), actorTable(actors));
  });
  return [heading, content];
}

function topList(shows, signal) {
  const list = h("ol", { class: "top-list" });
  const more = h("button", { type: "button", class: "more", click: () => showMore() }, "Show more");
  let shown = 0;
  const showMore = () => {
    const items = shows.slice(shown, shown + PAGE_SIZE).map((show, index) => topItem(show, shown + index + 1, signal));
    shown += items.length;
    list.append(...items);
    more.hidden = shown >= shows.length;
    if (shown > PAGE_SIZE) items[0].querySelector("a").focus({ preventScroll: true });
  };
  showMore();
  return h("section", { "aria-label": "Top shows" },
    h("p", { class: "muted" }, "English-language Action shows that premiered in the years the last update covers, best rating first."),
    list, more);
}

function topItem({ id, name: title, rating, premiered }, rank, signal) {
  const name = title || `Show ${id}`;
  const picture = h("span", {}, poster(null, name));
  const cast = h("p", { class: "muted" }, h("span", { class: "skeleton" }));
  loadDetails({ id, name, picture, cast, signal });
  return h("li", { class: "card" },
    h("span", { class: "rank", "aria-hidden": "true" }, rank),
    picture,
    h("div", { class: "top-text" },
      h("h2", {}, h("a", { href: urlFor(`shows/${id}`) }, name), " ", h("span", { class: "muted" }, premiered.slice(0, 4))),
      ratingLabel(rating), cast));
}

// Adds the poster and the cast, which the list of top shows does not include. Both are optional, so a failure
// is not reported.
async function loadDetails({ id, name, picture, cast, signal }) {
  try {
    const [show, rows] = await Promise.all([request(`shows/${id}`, { signal }), fetchCast(id, signal)]);
    picture.replaceChildren(poster(checkedShow(show).image.medium, name));
    cast.replaceChildren(...castLine(rows ?? []));
  } catch {
    cast.replaceChildren();
  }
}

function castLine(rows) {
  if (!rows.length) return ["TVmaze lists no cast."];
  const names = rows.slice(0, MAX_CAST_NAMES).flatMap((row, index) =>
    [index > 0 && ", ", h("span", { class: "person" }, row.person_name), ` as ${roleLabel(row)}`]);
  const others = rows.length - MAX_CAST_NAMES;
  return [...names, others > 0 && `, and ${pluralize(others, "other")}`].filter(Boolean);
}

function actorTable(actors) {
  const rows = actors.map(({ person_name: person, character_count: count }) =>
    h("tr", {}, h("th", { scope: "row" }, person), h("td", { class: "count" }, formatNumber(count))));
  return h("section", { class: "card", "aria-labelledby": "actors" },
    h("h2", { id: "actors" }, "Multiple roles"),
    actors.length
      ? h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Actor"), h("th", { scope: "col", class: "count" }, "Characters"))), h("tbody", {}, rows))
      : h("p", { class: "muted" }, "No actor plays more than one character in the top shows."));
}
