// A week of stored episodes, with the filters of the list of shows. The week and the filters are stored in the URL.

import { request } from "./api_client.js";
import { CalendarLink } from "./calendar_link.js";
import { h } from "./dom.js";
import { episodeTitle } from "./episode_list.js";
import { networkName } from "./format.js";
import { loadInto } from "./loading.js";
import { currentRoute, navigate, urlFor } from "./router.js";
import { checkedEpisode, checkedShow } from "./show_fields.js";
import { FACETS, FILTERS, filterChips, ShowFilters } from "./show_filters.js";

const DAY_MS = 86_400_000;
// The most days that a request for the schedule may have.
const SPAN_DAYS = 31;
// Where episodes are searched from an empty week: two months ahead, then a year back, until some are found.
const SEARCHED_SPANS = [0, 1, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12];
const LOCALE = "en-GB";
const dayName = new Intl.DateTimeFormat(LOCALE, { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
const weekName = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

export function scheduleView({ query, signal, heading, title, onQueryChange }) {
  title("Schedule");
  const search = h("input", { type: "search", id: "q", name: "q", maxlength: 200, autocomplete: "off", spellcheck: "false", placeholder: "Name or words from the summary" });
  const setQuery = (changes) => {
    const unchanged = Object.fromEntries([...FILTERS, "date"].map((name) => [name, currentRoute().query.get(name)]));
    navigate(urlFor("schedule", { ...unchanged, q: search.value.trim(), ...changes }));
  };
  const filters = new ShowFilters((values) => setQuery(values));
  const calendar = new CalendarLink();
  const [weekLinks, chips, days] = [h("nav", { class: "week", "aria-label": "Week" }), h("div"), h("div", { class: "days" })];
  const removeFilters = (names) => {
    setQuery(Object.fromEntries(names.map((name) => [name, ""])));
    search.focus();
  };
  let controller = null;
  const update = (query) => {
    controller?.abort();
    controller = new AbortController();
    const parameters = new URLSearchParams(["q", ...FILTERS].map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));
    const monday = mondayOf(query.get("date"));
    search.value = query.get("q") ?? "";
    filters.update(query);
    chips.replaceChildren(...[filterChips(query, removeFilters)].filter(Boolean));
    calendar.update(parameters);
    weekLinks.replaceChildren(...linksAround(monday, query));
    const current = AbortSignal.any([signal, controller.signal]);
    loadInto(days, current, () => loadWeek(monday, query, parameters, filters, current));
  };
  search.addEventListener("search", () => setQuery({}));
  onQueryChange(update);
  update(query);
  return [
    heading,
    h("form", { class: "search", role: "search", submit: (event) => { event.preventDefault(); setQuery({}); } },
      h("label", { for: "q", class: "visually-hidden" }, "Search shows"), search),
    h("div", { class: "shows" },
      h("div", { class: "stack" }, filters.element, calendar.element),
      h("section", { "aria-label": "Episodes" }, weekLinks, chips, days, h("p", { class: "muted small" }, "Days and times are those of each network."))),
  ];
}

async function loadWeek(monday, query, parameters, filters, signal) {
  const [episodes, { facets }] = await Promise.all([
    episodesFrom(monday, 7, parameters, signal),
    request(`shows?${new URLSearchParams([...parameters, ["limit", 1], ["fields", "id"], ["facets", FACETS]])}`, { signal }),
  ]);
  filters.setFacets(facets);
  if (!episodes.length) return emptyWeek(monday, query, parameters, signal);
  const byDay = Map.groupBy(episodes.map(checkedEpisode), ({ airdate }) => airdate);
  const days = Array.from({ length: 7 }, (_, index) => new Date(monday.getTime() + index * DAY_MS));
  return days.filter((day) => byDay.has(isoDay(day))).map((day) => {
    const id = `day-${isoDay(day)}`;
    return h("section", { class: "card", "aria-labelledby": id },
      h("h2", { id }, dayName.format(day)), h("ul", { class: "airings" }, byDay.get(isoDay(day)).map(airing)));
  });
}

const episodesFrom = (first, days, parameters, signal) =>
  request(`schedule?${new URLSearchParams([["date", isoDay(first)], ["days", days], ...parameters])}`, { signal });

async function emptyWeek(monday, query, parameters, signal) {
  if ((await request("shows/stats", { signal })).tables.episodes === 0) return nothingStored();
  const [state, nearest] = [noEpisodes([...parameters].length > 0), h("p")];
  state.append(nearest);
  showNearestWeek(nearest, monday, query, parameters, signal);
  return state;
}

// Links to the next week that has episodes, or else to the last one. The state is shown without it if it is not found.
async function showNearestWeek(root, monday, query, parameters, signal) {
  try {
    for (const step of SEARCHED_SPANS) {
      const first = new Date(monday.getTime() + step * SPAN_DAYS * DAY_MS);
      const episodes = await episodesFrom(first, SPAN_DAYS, parameters, signal);
      const nearest = step < 0 ? episodes.at(-1) : episodes[0];
      if (!nearest) continue;
      const week = mondayOf(checkedEpisode(nearest).airdate);
      root.replaceChildren(h("a", { class: "button", href: weekUrl(week, query) }, step < 0 ? "Last week with episodes" : "Next week with episodes"));
      return;
    }
  } catch (error) {
    if (!signal.aborted) console.warn(error);
  }
}

function airing(episode) {
  const show = checkedShow(episode.show ?? {});
  return h("li", {},
    h("span", { class: "airtime" }, episode.airtime || "–"),
    h("span", {}, h("a", { href: urlFor(`shows/${show.id}`) }, show.name), " ", episodeTitle(episode)),
    h("span", { class: "muted" }, networkName(show)));
}

function nothingStored() {
  return emptyState("No episodes are stored",
    "The setting ", h("code", {}, "DETAILS"), " chooses the shows whose episodes are fetched, such as ", h("code", {}, "DETAILS=language=English&status=Running"), ". See ", h("a", { href: "docs/" }, "the API"), ".");
}

function noEpisodes(isFiltered) {
  return emptyState("No episodes this week",
    isFiltered ? "No show that matches the filters has a stored episode this week." : "None of the stored episodes airs this week.");
}

function emptyState(title, ...text) {
  return h("div", { class: "empty", role: "status" }, h("p", { class: "empty-title" }, title), h("p", {}, ...text));
}

function linksAround(monday, query) {
  const filters = Object.fromEntries([...query].filter(([name]) => name !== "date"));
  const link = (label, days) => h("a", { class: "button", href: weekUrl(new Date(monday.getTime() + days * DAY_MS), query) }, label);
  const sunday = new Date(monday.getTime() + 6 * DAY_MS);
  return [
    link("Previous week", -7),
    h("span", { role: "status" }, weekName.formatRange(monday, sunday)),
    link("Next week", 7),
    h("a", { href: urlFor("schedule", filters) }, "This week"),
  ];
}

const weekUrl = (monday, query) => urlFor("schedule", { ...Object.fromEntries(query), date: isoDay(monday) });

const isoDay = (date) => date.toISOString().slice(0, 10);

// The Monday of the week with a day, by default today.
function mondayOf(text) {
  const day = new Date(`${/^\d{4}-\d\d-\d\d$/.test(text ?? "") ? text : isoDay(new Date())}T00:00:00Z`);
  const known = Number.isNaN(day.getTime()) ? new Date(`${isoDay(new Date())}T00:00:00Z`) : day;
  return new Date(known.getTime() - ((known.getUTCDay() + 6) % 7) * DAY_MS);
}
