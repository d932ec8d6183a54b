// The episodes of a show, by season.

import { externalLink, h } from "./dom.js";
import { formatDate, pluralize } from "./format.js";
import { ratingLabel } from "./show_list.js";

// Such as `1x02`; null for a special.
export const episodeNumber = ({ season, number }) => (season == null || number == null ? null : `${season}x${String(number).padStart(2, "0")}`);

export const episodeTitle = (episode) => [episodeNumber(episode), episode.name].filter(Boolean).join(": ");

export const episodeTime = ({ airdate, airtime }) => (airdate ? `${formatDate(airdate)}${airtime ? `, ${airtime}` : ""}` : null);

// The first episode that airs today or later; null if none is known.
export function nextEpisode(episodes, today) {
  const ahead = episodes.filter(({ airdate }) => airdate && airdate >= today);
  const time = ({ airdate, airtime }) => `${airdate} ${airtime ?? ""}`;
  return ahead.sort((a, b) => (time(a) < time(b) ? -1 : 1))[0] ?? null;
}

// The last season is open.
export function episodeList(episodes) {
  const seasons = Map.groupBy(episodes, ({ season }) => season);
  const last = [...seasons.keys()].at(-1);
  return [...seasons].map(([season, list]) => h("details", { class: "card season", open: season === last },
    h("summary", {}, season == null ? "Other episodes" : `Season ${season}`, " ", h("span", { class: "muted" }, pluralize(list.length, "episode"))),
    h("ol", { class: "episodes" }, list.map(item))));
}

function item(episode) {
  return h("li", {},
    h("span", { class: "muted" }, episodeNumber(episode) ?? "–"),
    h("span", {}, externalLink(`https://www.tvmaze.com/episodes/${episode.id}`, episode.name ?? "Untitled")),
    h("span", { class: "muted" }, episodeTime(episode)),
    ratingLabel(episode.rating.average));
}
