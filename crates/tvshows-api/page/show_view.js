// One show: its picture, its summary, its facts, its cast where one is stored.

import { castList } from "./cast_list.js";
import { h, outside, webAddress } from "./elements.js";
import { channel, day, plural, years } from "./format.js";
import { lastList } from "./found_shows.js";
import { fill } from "./loading.js";
import { poster } from "./poster.js";
import { address } from "./route.js";
import { ask, askFor } from "./service.js";
import { ratingMark } from "./show_list.js";
import { summary } from "./summary.js";

export function showView({ path: [, id], signal, heading, title }) {
  title("Show");
  const content = fill(h("div"), signal, async () => {
    const number = encodeURIComponent(id);
    const [show, cast] = await Promise.all([ask(`shows/${number}`, { signal }), askFor(`shows/${number}/cast`, { signal })]);
    title(show.name);
    return [about(show), castSection(cast)];
  });
  return [h("p", { class: "back" }, h("a", { href: lastList() }, "Back to the list")), heading, content];
}

function about(show) {
  const line = [years(show), show.type, show.status].filter(Boolean).join(" · ");
  return h("article", { class: "about" },
    poster(show.image?.medium, show.name),
    h("div", { class: "about-text" },
      h("p", { class: "about-line" }, ratingMark(show.rating?.average), h("span", { class: "quiet" }, line)),
      show.summary ? summary(show.summary) : h("p", { class: "quiet" }, "TVmaze has no summary of it."),
      h("p", { class: "links" },
        outside(`https://www.tvmaze.com/shows/${show.id}`, "At TVmaze"),
        ...officialSite(show.officialSite))),
    facts(show));
}

function officialSite(text) {
  const url = text ? webAddress(text) : null;
  return url ? [" · ", outside(url.href, `Official site (${url.hostname.replace(/^www\./, "")})`)] : [];
}

function facts(show) {
  const list = (name, value) => h("a", { href: address("shows", { [name]: value }) }, value);
  const genres = show.genres.flatMap((genre, index) => [index > 0 && ", ", list("genre", genre)]);
  const country = (show.network ?? show.webChannel)?.country?.name;
  const runtime = show.runtime ?? show.averageRuntime;
  const { days = [], time } = show.schedule ?? {};
  const rows = [
    ["Genres", genres.length ? genres : null],
    ["Language", show.language && list("language", show.language)],
    [show.network ? "Network" : "Web channel", channel(show) && [list("network", channel(show)), country && ` (${country})`]],
    ["Premiered", show.premiered && day(show.premiered)],
    ["Ended", show.ended && day(show.ended)],
    ["Runtime", runtime && plural(runtime, "minute")],
    ["Schedule", days.length ? [days.join(", "), time && ` at ${time}`] : null],
    ["Popularity", show.weight != null && `${show.weight} of 100`],
    ["Last changed", show.updated && day(new Date(show.updated * 1000).toISOString().slice(0, 10))],
  ];
  return h("dl", { class: "facts card" }, rows.filter(([, value]) => value)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function castSection(cast) {
  const content = cast === null ? h("p", { class: "quiet" }, "No cast is stored; only the top shows have one.")
    : cast.length ? castList(cast) : h("p", { class: "quiet" }, "TVmaze names nobody.");
  return h("section", { "aria-labelledby": "cast" }, h("h2", { id: "cast" }, "Cast"), content);
}
