// How the shows are spread; each bar leads to the shows that it counts.

import { columnChart, rowChart } from "./bar_chart.js";
import { h } from "./elements.js";
import { number } from "./format.js";
import { fill, nothingYet } from "./loading.js";
import { address } from "./route.js";
import { ask } from "./service.js";

const LONGEST_TIME = 200;

export function chartsView({ signal, heading, title }) {
  title("Charts");
  const content = fill(h("div"), signal, async () => {
    const stats = await ask("shows/stats", { signal });
    if (!stats.snapshot) return nothingYet();
    return [
      h("p", { class: "quiet" }, `All ${number(stats.tables.all_shows)} shows of the last publish. Choose a bar to see its shows.`),
      columnChart({ name: "Premiere year", counts: everyYear(stats.premiere_years), to: (year) => address("shows", { premiered_from: year, premiered_to: year }), without: "no premiere date", isWide: true, isMarked: (year) => year % 10 === 0 }),
      h("div", { class: "charts" },
        columnChart({ name: "Rating", counts: stats.ratings, label: (value) => (value === 10 ? "10" : `${value}.0–${value}.9`), mark: String, to: (value) => address("shows", { min_rating: value, sort: "rating" }), without: "not rated", hint: "A bar leads to the shows rated at least so, lowest first." }),
        rowChart({ name: "Status", counts: stats.statuses, to: (status) => address("shows", { status }), without: "no status" }),
        rowChart({ name: "Genre", counts: stats.genres, to: (genre) => address("shows", { genre }), without: "no genre" }),
        rowChart({ name: "Language", counts: stats.languages, to: (language) => address("shows", { language }), without: "no language" }),
        rowChart({ name: "Network or web channel", counts: stats.networks, to: (network) => address("shows", { network }), without: "neither" })),
    ];
  });
  return [heading, content];
}

// The counts with those of the years between them in which nothing began, so that equal times are equally wide.
function everyYear(counts) {
  const known = new Map(counts.filter(({ value }) => value !== null).map(({ value, count }) => [value, count]));
  const [first, last] = [Math.min(...known.keys()), Math.max(...known.keys())];
  // Years of upstream need not be years.
  if (!known.size || last - first > LONGEST_TIME) return counts;
  const years = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const others = counts.filter(({ value }) => value === null);
  return [...years.map((value) => ({ value, count: known.get(value) ?? 0 })), ...others];
}
