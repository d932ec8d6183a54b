// Loading, error and empty states.

import { ApiError, NetworkError } from "./api_client.js";
import { connection } from "./connection.js";
import { h } from "./dom.js";
import { toSentence } from "./format.js";
import { runFeed } from "./run_feed.js";

// Fills `root` with the content that `load` returns. Reloads when an update is published, and after a failure
// when the connection is restored.
export function loadInto(root, signal, load) {
  let isLoaded = false;
  const attempt = async () => {
    root.setAttribute("aria-busy", "true");
    try {
      const content = await load();
      if (signal.aborted) return;
      root.replaceChildren(...[content].flat());
      isLoaded = true;
    } catch (error) {
      if (signal.aborted) return;
      root.replaceChildren(errorState(error, attempt));
      isLoaded = false;
    } finally {
      root.removeAttribute("aria-busy");
    }
  };
  root.replaceChildren(skeleton());
  connection.addEventListener("online", () => isLoaded || attempt(), { signal });
  runFeed.addEventListener("published", attempt, { signal });
  attempt();
  return root;
}

export function errorState(error, retry) {
  // Quotes in `backticks` are code.
  const message = toSentence(error.message).split("`").map((text, index) => (index % 2 ? h("code", {}, text) : text));
  return h("div", { class: "empty error", role: "alert" }, h("p", {}, message), remedy(error, retry));
}

function remedy(error, retry) {
  if (error instanceof NetworkError) return h("p", { class: "muted" }, "This view reloads when the connection is restored.");
  // Repeating an invalid request, or one for something that does not exist, would fail again.
  if (error instanceof ApiError && !error.isTransient) return null;
  return h("button", { type: "button", click: retry }, "Try again");
}

export function skeleton(lines = 6) {
  const bars = Array.from({ length: lines }, () => h("div", { class: "skeleton" }));
  return h("div", { class: "skeletons" }, h("span", { class: "visually-hidden" }, "Loading"), bars);
}

// Shown before the first update is published.
export function noDataState() {
  return h("div", { class: "empty" },
    h("p", { class: "empty-title" }, "No data yet"),
    h("p", {}, "Shows appear here after the first update. ", h("a", { href: "#/runs" }, "Go to runs"), "."));
}
