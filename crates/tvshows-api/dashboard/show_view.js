// One show: poster, summary, details, and the episodes and the cast if they are stored.

import { request, requestOrNull } from "./api_client.js";
import { castList } from "./cast_list.js";
import { externalLink, h, parseHttpUrl } from "./dom.js";
import { episodeList, episodeTime, episodeTitle, nextEpisode } from "./episode_list.js";
import { formatDate, formatUnixDate, networkName, pluralize, yearRange } from "./format.js";
import { loadInto } from "./loading.js";
import { poster } from "./poster.js";
import { urlFor } from "./router.js";
import { sanitizedSummary } from "./sanitize_summary.js";
import { lastListUrl } from "./search_results.js";
import { checkedEpisode, checkedShow } from "./show_fields.js";
import { ratingLabel } from "./show_list.js";
import { fetchCast, fetchTopShows } from "./top_shows.js";

export function showView({ path: [, id], signal, heading, title }) {
  title("Show");
  const content = loadInto(h("div"), signal, async () => {
    const show = checkedShow(await request(`shows/${encodeURIComponent(id)}`, { signal }));
    title(show.name);
    const [topShows, stats] = await Promise.all([fetchTopShows(signal), request("shows/stats", { signal })]);
    // The browser logs each 404 response as an error, so what cannot be stored is not requested.
    const hasEpisodes = stats.tables.episodes > 0;
    const hasCast = hasEpisodes || topShows.some((topShow) => topShow.id === show.id);
    const [episodes, cast] = await Promise.all([
      hasEpisodes ? requestOrNull(`shows/${show.id}/episodes`, { signal }) : null,
      hasCast ? fetchCast(show.id, signal) : null,
    ]);
    const checked = episodes?.map(checkedEpisode) ?? null;
    return [about(show, checked), episodeSection(checked), castSection(cast)].filter(Boolean);
  });
  return [h("p", { class: "back" }, h("a", { href: lastListUrl() }, "Back to list")), heading, content];
}

function about(show, episodes) {
  const facts = [yearRange(show), show.type, show.status].filter(Boolean).join(" · ");
  return h("article", { class: "about" },
    poster(show.image.medium, show.name),
    h("div", { class: "about-text" },
      h("p", { class: "about-line" }, ratingLabel(show.rating.average), h("span", { class: "muted" }, facts)),
      show.summary ? sanitizedSummary(show.summary) : h("p", { class: "muted" }, "TVmaze has no summary for this show."),
      h("p", { class: "links" },
        externalLink(`https://www.tvmaze.com/shows/${show.id}`, "View on TVmaze"),
        officialSite(show.officialSite))),
    detailList(show, episodes));
}

function officialSite(text) {
  const url = text ? parseHttpUrl(text) : null;
  return url && externalLink(url.href, `Official site (${url.hostname.replace(/^www\./, "")})`);
}

function detailList(show, episodes) {
  const filterLink = (name, value) => h("a", { href: urlFor("shows", { [name]: value }) }, value);
  const genres = show.genres.flatMap((genre, index) => [index > 0 && ", ", filterLink("genre", genre)]);
  const network = networkName(show);
  const country = (show.network ?? show.webChannel)?.country;
  const runtime = show.runtime ?? show.averageRuntime;
  const { days, time } = show.schedule;
  const next = nextEpisode(episodes ?? [], new Date().toISOString().slice(0, 10));
  const rows = [
    ["Genres", genres.length ? genres : null],
    ["Language", show.language && filterLink("language", show.language)],
    [show.network ? "Network" : "Web channel", network && [filterLink("network", network), country?.name && [" (", filterLink("country", country.name), ")"]].flat()],
    ["Premiered", show.premiered && formatDate(show.premiered)],
    ["Ended", show.ended && formatDate(show.ended)],
    ["Runtime", runtime && pluralize(runtime, "minute")],
    ["Schedule", days.length ? [days.join(", "), time && ` at ${time}${country?.timezone ? ` (${country.timezone})` : ""}`] : null],
    ["Next episode", next && [episodeTitle(next), episodeTime(next)].filter(Boolean).join(", ")],
    ["Popularity", show.weight != null && `${show.weight} out of 100`],
    ["Last changed", formatUnixDate(show.updated)],
  ];
  return h("dl", { class: "details card" }, rows.filter(([, value]) => value)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

const note = (text) => h("p", { class: "muted" }, text);

function episodeSection(episodes) {
  if (episodes === null) return null;
  return h("section", { class: "seasons", "aria-labelledby": "episodes" }, h("h2", { id: "episodes" }, "Episodes"),
    episodes.length ? episodeList(episodes) : note("TVmaze lists no episodes."));
}

function castSection(cast) {
  const content = cast === null ? note("The cast is stored for the top shows, and for the shows that the setting DETAILS chooses.")
    : cast.length ? castList(cast) : note("TVmaze lists no cast.");
  return h("section", { "aria-labelledby": "cast" }, h("h2", { id: "cast" }, "Cast"), content);
}
