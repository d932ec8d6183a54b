// Search-as-you-type with filters and sorting. The whole query is stored in the URL.

import { h } from "./dom.js";
import { currentRoute, navigate, urlFor } from "./router.js";
import { SearchResults } from "./search_results.js";
import { FILTERS, filterChips, ShowFilters } from "./show_filters.js";

const DEBOUNCE_MS = 200;
const SORT_OPTIONS = [
  ["-weight", "Most popular"],
  ["-rating", "Highest rated"],
  ["rating", "Lowest rated"],
  ["-premiered", "Newest"],
  ["premiered", "Oldest"],
  ["name", "Name"],
  ["-name", "Name, Z to A"],
  ["-updated", "Last changed"],
  ["updated", "Not changed for longest"],
  ["weight", "Least popular"],
];
const RELEVANCE = ["relevance", "Best match"];

export function showsView({ query, signal, heading, title, onQueryChange }) {
  title("Shows");
  const search = h("input", { type: "search", id: "q", name: "q", maxlength: 200, autocomplete: "off", spellcheck: "false", placeholder: "Name or words from the summary" });
  const sort = h("select", { id: "sort" });
  const filters = new ShowFilters((values) => setQuery(values));
  const results = new SearchResults(signal, {
    onFacets: (facets) => filters.setFacets(facets),
    onSort: (value) => setSort(value),
    onView: (view) => setQuery({ view }),
  });
  const chips = h("div");
  let debounce = null;
  let isTyping = false;

  const setQuery = (changes, options) => {
    const unchanged = Object.fromEntries([...FILTERS, "sort", "view"].map((name) => [name, currentRoute().query.get(name)]));
    navigate(urlFor("shows", { q: search.value.trim(), ...unchanged, ...changes }), options);
  };
  const onInput = () => {
    clearTimeout(debounce);
    debounce = setTimeout(() => {
      // A word is one history entry, not one per letter.
      setQuery({}, { replace: isTyping });
      isTyping = true;
    }, DEBOUNCE_MS);
  };
  const removeFilters = (names) => {
    setQuery(Object.fromEntries(names.map((name) => [name, ""])));
    search.focus();
  };
  // The default order is not in the URL.
  const setSort = (value) => setQuery({ sort: value === sort.options[0].value ? "" : value });
  const update = (query) => {
    const q = query.get("q") ?? "";
    if (search.value.trim() !== q) search.value = q;
    filters.update(query);
    updateSortOptions(sort, q, query.get("sort"));
    chips.replaceChildren(...[filterChips(query, removeFilters)].filter(Boolean));
    results.update(query, sort.value);
  };
  search.addEventListener("input", onInput);
  search.addEventListener("blur", () => { isTyping = false; });
  sort.addEventListener("change", () => setSort(sort.value));
  signal.addEventListener("abort", () => clearTimeout(debounce));
  onQueryChange((query) => {
    if (document.activeElement !== search) isTyping = false;
    update(query);
  });
  update(query);
  return [
    heading,
    h("form", { class: "search", role: "search", submit: (event) => { event.preventDefault(); onInput(); } },
      h("label", { for: "q", class: "visually-hidden" }, "Search shows"), search,
      h("label", { class: "inline" }, h("span", {}, "Sort"), sort)),
    h("div", { class: "shows" },
      filters.element,
      h("section", { class: "results", "aria-label": "Results" }, chips, results.element)),
  ];
}

// The default is the first option: relevance for a search, popularity otherwise.
function updateSortOptions(select, q, sort) {
  const options = q ? [RELEVANCE, ...SORT_OPTIONS] : SORT_OPTIONS;
  select.replaceChildren(...options.map(([value, label]) => h("option", { value }, label)));
  select.value = options.some(([value]) => value === sort) ? sort : options[0][0];
}
