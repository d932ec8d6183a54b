// Hash-based routing: `#/shows/82?q=x` has a path and a query. The hash is never sent to the server, so every
// view can be reloaded, bookmarked and shared.

export function currentRoute() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean), query: new URLSearchParams(query) };
}

// Omits empty query parameters.
export function urlFor(path, query = {}) {
  const nonEmpty = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const text = new URLSearchParams(nonEmpty).toString();
  return `#/${path}${text && `?${text}`}`;
}

// Follows a hash URL as a link would. With `replace`, adds no history entry.
export function navigate(url, { replace = false } = {}) {
  if (url === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
