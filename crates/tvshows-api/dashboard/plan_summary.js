// What an update would fetch, as a sentence.

import { formatDuration, pluralize } from "./format.js";

export function planSummary(plan) {
  const { requests, seconds } = plan;
  const total = `The update would send ${isOpen(plan) ? "at least " : ""}${pluralize(requests, "request")}`;
  const parts = fetched(plan);
  const what = parts.length ? `: ${parts.join(", ")}` : ", because nothing has changed";
  return `${total}${what}. At TVmaze's limit, that takes ${formatDuration(seconds)}.`;
}

// Whether a number is known only after the index is fetched.
const isOpen = ({ index_pages: pages, details }) => pages === null || details === null;

function fetched({ index_pages: pages, shows, details, casts, deletions }) {
  return [
    pages === null ? "the whole index" : pages && pluralize(pages, "index page"),
    shows && pluralize(shows, "show"),
    details === null ? "episodes and casts of an unknown number of shows" : details && `episodes and casts of ${pluralize(details, "show")}`,
    casts && `${pluralize(casts, "cast")} of top shows`,
    deletions && `${pluralize(deletions, "show")} to delete`,
  ].filter(Boolean);
}
