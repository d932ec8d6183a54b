// The place that the address names: `#/shows/82?q=x` is a path and a query. What follows the `#` never reaches
// the server, so every place can be reloaded and shared.

export function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean), query: new URLSearchParams(query) };
}

export function address(path, query = {}) {
  const filled = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const text = new URLSearchParams(filled).toString();
  return `#/${path}${text && `?${text}`}`;
}

// Goes to an address of this page as a link would; `replace` leaves no step to go back to.
export function go(to, { replace = false } = {}) {
  if (to === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
