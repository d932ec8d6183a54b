// The top shows with their casts, and who plays several characters in them.

import { h } from "./elements.js";
import { number, plural } from "./format.js";
import { fill, nothingYet } from "./loading.js";
import { poster } from "./poster.js";
import { address } from "./route.js";
import { ask, askFor } from "./service.js";
import { ratingMark } from "./show_list.js";

const LONGEST = 1000;
const STEP = 20;
const NAMED = 6;

export function topView({ signal, heading, title }) {
  title("Top shows");
  const content = fill(h("div"), signal, async () => {
    const [shows, actors] = await Promise.all([
      ask(`shows/top_shows?limit=${LONGEST}`, { signal }),
      ask("shows/top_shows_multi_char_actors", { signal }),
    ]);
    if (!shows.length) return nothingYet();
    return h("div", { class: "tops" }, topList(shows, signal), actorTable(actors));
  });
  return [heading, content];
}

function topList(shows, signal) {
  const list = h("ol", { class: "top-list" });
  const more = h("button", { type: "button", class: "more", click: () => showMore() }, "Show more");
  let shown = 0;
  const showMore = () => {
    const items = shows.slice(shown, shown + STEP).map((show, index) => topItem(show, shown + index + 1, signal));
    shown += items.length;
    list.append(...items);
    more.hidden = shown >= shows.length;
    if (shown > STEP) items[0].querySelector("a").focus({ preventScroll: true });
  };
  showMore();
  return h("section", { "aria-label": "Top shows" },
    h("p", { class: "quiet" }, "English shows of the genre Action that premiered in the years that the last update was asked for, best rating first."),
    list, more);
}

function topItem({ id, name, rating, premiered }, rank, signal) {
  const picture = h("span", { class: "picture-place" }, poster(null, name));
  const cast = h("p", { class: "quiet" }, h("span", { class: "skeleton" }));
  const item = h("li", { class: "card" },
    h("span", { class: "rank", "aria-hidden": "true" }, rank),
    picture,
    h("div", { class: "top-text" },
      h("h2", {}, h("a", { href: address(`shows/${id}`) }, name), " ", h("span", { class: "quiet" }, premiered.slice(0, 4))),
      ratingMark(rating), cast));
  complete({ id, name, picture, cast, signal });
  return item;
}

// The list has names and ratings alone. What else there is comes after, and the list is whole without it.
async function complete({ id, name, picture, cast, signal }) {
  try {
    const [show, rows] = await Promise.all([ask(`shows/${id}`, { signal }), askFor(`shows/${id}/cast`, { signal })]);
    picture.replaceChildren(poster(show.image?.medium, name));
    cast.replaceChildren(...castLine(rows ?? []));
  } catch {
    cast.replaceChildren();
  }
}

function castLine(rows) {
  if (!rows.length) return ["TVmaze names no cast."];
  const named = rows.slice(0, NAMED).flatMap(({ person_name: person, character_name: character }, index) =>
    [index > 0 && ", ", h("span", { class: "person" }, person), ` as ${character}`]);
  const others = rows.length - NAMED;
  return [...named, others > 0 && `, and ${plural(others, "other")}`].filter(Boolean);
}

function actorTable(actors) {
  const rows = actors.map(({ person_name: person, character_count: count }) =>
    h("tr", {}, h("th", { scope: "row" }, person), h("td", { class: "count" }, number(count))));
  return h("section", { class: "card", "aria-labelledby": "actors" },
    h("h2", { id: "actors" }, "Several characters"),
    actors.length
      ? h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Actor"), h("th", { scope: "col", class: "count" }, "Characters"))), h("tbody", {}, rows))
      : h("p", { class: "quiet" }, "Nobody plays more than one character in the top shows."));
}
