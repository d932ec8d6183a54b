// The frame of the page: which view is shown, where the focus goes, what is live, whether the service is lost.

import { announce, h } from "./elements.js";
import { connection } from "./connection.js";
import { route } from "./route.js";
import { runs } from "./runs.js";
import { chartsView } from "./charts_view.js";
import { dataView } from "./data_view.js";
import { runView } from "./run_view.js";
import { runsView } from "./runs_view.js";
import { showView } from "./show_view.js";
import { showsView } from "./shows_view.js";
import { topView } from "./top_view.js";

const main = document.getElementById("main");
let shown = null;

function viewOf([first = "runs", second]) {
  if (first === "runs") return second ? runView : runsView;
  if (first === "shows") return second ? showView : showsView;
  return { top: topView, charts: chartsView, data: dataView }[first] ?? nowhere;
}

function nowhere({ heading, title }) {
  title("Not found");
  return [heading, h("p", {}, "There is nothing at this address. ", h("a", { href: "#/runs" }, "Go to the runs"), ".")];
}

function show() {
  const place = route();
  const view = viewOf(place.path);
  const path = place.path.join("/");
  if (shown?.path === path && shown.update) {
    shown.update(place.query);
    return;
  }
  const isFirst = shown === null;
  shown?.end.abort();
  const end = new AbortController();
  const heading = h("h1", { tabindex: "-1" });
  const title = (text) => {
    heading.textContent = text;
    document.title = `${text} · tvshows-pipeline`;
  };
  shown = { path, end };
  const content = view({ ...place, signal: end.signal, heading, title, onUpdate: (update) => { shown.update = update; } });
  main.replaceChildren(...content);
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === (place.path[0] ?? "runs")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!isFirst) {
    scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  }
}

function showConnection() {
  const banner = document.getElementById("lost");
  banner.hidden = !connection.isLost;
  banner.textContent = connection.isLost ? "The service does not answer. Trying again until it does." : "";
  document.body.classList.toggle("is-lost", connection.isLost);
}

function showLive() {
  const badge = document.getElementById("live");
  const run = runs.live;
  badge.hidden = !run;
  badge.replaceChildren(...(run ? [h("span", { class: "unseen" }, ", now at "), `${run.progress} %`] : []));
}

connection.addEventListener("lost", showConnection);
connection.addEventListener("found", () => {
  showConnection();
  announce("The service answers again.");
});
runs.addEventListener("change", showLive);
addEventListener("hashchange", show);
document.querySelector(".skip").addEventListener("click", (event) => {
  // The address is the view's, so the focus moves without it.
  event.preventDefault();
  main.focus();
});
show();
runs.begin();
