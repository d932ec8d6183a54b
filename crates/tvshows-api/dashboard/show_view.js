// One show: poster, summary, details, and the cast if it is stored.

import { request } from "./api_client.js";
import { castList } from "./cast_list.js";
import { externalLink, h, parseHttpUrl } from "./dom.js";
import { formatDate, formatUnixDate, networkName, pluralize, yearRange } from "./format.js";
import { loadInto } from "./loading.js";
import { poster } from "./poster.js";
import { urlFor } from "./router.js";
import { sanitizedSummary } from "./sanitize_summary.js";
import { lastListUrl } from "./search_results.js";
import { checkedShow } from "./show_fields.js";
import { ratingLabel } from "./show_list.js";
import { fetchCast, fetchTopShows } from "./top_shows.js";

export function showView({ path: [, id], signal, heading, title }) {
  title("Show");
  const content = loadInto(h("div"), signal, async () => {
    const show = checkedShow(await request(`shows/${encodeURIComponent(id)}`, { signal }));
    title(show.name);
    // The browser would log the 404 response for another show's cast as an error.
    const isTopShow = (await fetchTopShows(signal)).some((topShow) => topShow.id === show.id);
    return [about(show), castSection(isTopShow ? await fetchCast(show.id, signal) : null)];
  });
  return [h("p", { class: "back" }, h("a", { href: lastListUrl() }, "Back to list")), heading, content];
}

function about(show) {
  const facts = [yearRange(show), show.type, show.status].filter(Boolean).join(" · ");
  return h("article", { class: "about" },
    poster(show.image.medium, show.name),
    h("div", { class: "about-text" },
      h("p", { class: "about-line" }, ratingLabel(show.rating.average), h("span", { class: "muted" }, facts)),
      show.summary ? sanitizedSummary(show.summary) : h("p", { class: "muted" }, "TVmaze has no summary for this show."),
      h("p", { class: "links" },
        externalLink(`https://www.tvmaze.com/shows/${show.id}`, "View on TVmaze"),
        officialSite(show.officialSite))),
    detailList(show));
}

function officialSite(text) {
  const url = text ? parseHttpUrl(text) : null;
  return url && externalLink(url.href, `Official site (${url.hostname.replace(/^www\./, "")})`);
}

function detailList(show) {
  const filterLink = (name, value) => h("a", { href: urlFor("shows", { [name]: value }) }, value);
  const genres = show.genres.flatMap((genre, index) => [index > 0 && ", ", filterLink("genre", genre)]);
  const network = networkName(show);
  const country = (show.network ?? show.webChannel)?.country;
  const runtime = show.runtime ?? show.averageRuntime;
  const { days, time } = show.schedule;
  const rows = [
    ["Genres", genres.length ? genres : null],
    ["Language", show.language && filterLink("language", show.language)],
    [show.network ? "Network" : "Web channel", network && [filterLink("network", network), country?.name && [" (", filterLink("country", country.name), ")"]].flat()],
    ["Premiered", show.premiered && formatDate(show.premiered)],
    ["Ended", show.ended && formatDate(show.ended)],
    ["Runtime", runtime && pluralize(runtime, "minute")],
    ["Schedule", days.length ? [days.join(", "), time && ` at ${time}${country?.timezone ? ` (${country.timezone})` : ""}`] : null],
    ["Popularity", show.weight != null && `${show.weight} out of 100`],
    ["Last changed", formatUnixDate(show.updated)],
  ];
  return h("dl", { class: "details card" }, rows.filter(([, value]) => value)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function castSection(cast) {
  const note = (text) => h("p", { class: "muted" }, text);
  const content = cast === null ? note("The cast is stored for top shows only.")
    : cast.length ? castList(cast) : note("TVmaze lists no cast.");
  return h("section", { "aria-labelledby": "cast" }, h("h2", { id: "cast" }, "Cast"), content);
}
