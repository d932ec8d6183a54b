// What a view shows while it waits, and when what it waits for does not come.

import { connection } from "./connection.js";
import { h } from "./elements.js";
import { runs } from "./runs.js";
import { Unreachable } from "./service.js";

// Fills `root` with what `load` gives: now, when a lost service is back, and when a run has published.
export function fill(root, signal, load) {
  let isWhole = false;
  const attempt = async () => {
    root.setAttribute("aria-busy", "true");
    try {
      const content = await load();
      if (signal.aborted) return;
      root.replaceChildren(...[content].flat());
      isWhole = true;
    } catch (error) {
      if (signal.aborted) return;
      root.replaceChildren(failure(error, attempt));
      isWhole = false;
    } finally {
      root.removeAttribute("aria-busy");
    }
  };
  root.replaceChildren(skeleton());
  connection.addEventListener("found", () => isWhole || attempt(), { signal });
  runs.addEventListener("published", attempt, { signal });
  attempt();
  return root;
}

export function failure(error, again) {
  const isLost = error instanceof Unreachable;
  return h("div", { class: "empty wrong", role: "alert" },
    h("p", {}, error.message),
    isLost ? h("p", { class: "quiet" }, "This comes by itself when it does.") : h("button", { type: "button", click: again }, "Try again"));
}

export function skeleton(lines = 6) {
  const bars = Array.from({ length: lines }, () => h("div", { class: "skeleton" }));
  return h("div", { class: "skeletons" }, h("span", { class: "unseen" }, "Loading"), bars);
}

// What stands where nothing is published yet.
export function nothingYet() {
  return h("div", { class: "empty" },
    h("p", { class: "empty-title" }, "Nothing is published yet"),
    h("p", {}, "The shows come with the first update. ", h("a", { href: "#/runs" }, "Start one, or see how it goes"), "."));
}
