// The distribution of the shows. Each bar links to the shows it counts.

import { request } from "./api_client.js";
import { columnChart, rowChart } from "./bar_chart.js";
import { h } from "./dom.js";
import { formatNumber } from "./format.js";
import { loadInto, noDataState } from "./loading.js";
import { urlFor } from "./router.js";

const MAX_YEARS = 200;

export function chartsView({ signal, heading, title }) {
  title("Charts");
  const showsWith = (parameter) => (value) => urlFor("shows", { [parameter]: value });
  const content = loadInto(h("div"), signal, async () => {
    const stats = await request("shows/stats", { signal });
    if (!stats.snapshot) return noDataState();
    return [
      h("p", { class: "muted" }, `All ${formatNumber(stats.tables.all_shows)} published shows. Select a bar to list its shows.`),
      columnChart({ name: "Premiere year", counts: fillYears(stats.premiere_years), urlOf: (year) => urlFor("shows", { premiered_from: year, premiered_to: year }), missing: "no premiere date", hasTick: (year) => year % 5 === 0 }),
      h("div", { class: "charts" },
        columnChart({ name: "Rating", counts: stats.ratings, label: (value) => (value === 10 ? "10" : `${value}.0–${value}.9`), tick: String, urlOf: (value) => urlFor("shows", { min_rating: value, sort: "rating" }), missing: "not rated", hint: "A bar lists the shows with at least this rating, lowest first." }),
        rowChart({ name: "Status", counts: stats.statuses, urlOf: showsWith("status"), missing: "no status" }),
        rowChart({ name: "Genre", counts: stats.genres, urlOf: showsWith("genre"), missing: "no genre" }),
        rowChart({ name: "Language", counts: stats.languages, urlOf: showsWith("language"), missing: "no language" }),
        rowChart({ name: "Network or web channel", counts: stats.networks, urlOf: showsWith("network"), missing: "no network or web channel" })),
    ];
  });
  return [heading, content];
}

// Adds the years without a premiere, so that the time axis is linear.
function fillYears(counts) {
  const known = new Map(counts.filter(({ value }) => value !== null).map(({ value, count }) => [value, count]));
  const [first, last] = [Math.min(...known.keys()), Math.max(...known.keys())];
  // Upstream data may contain impossible years.
  if (!known.size || last - first > MAX_YEARS) return counts;
  const years = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const missing = counts.filter(({ value }) => value === null);
  return [...years.map((value) => ({ value, count: known.get(value) ?? 0 })), ...missing];
}
