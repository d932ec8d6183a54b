// The application shell: selects the view, moves the focus, and shows the active run and the connection state.

import { chartsView } from "./charts_view.js";
import { connection } from "./connection.js";
import { announce, h } from "./dom.js";
import { exportView } from "./export_view.js";
import { currentRoute } from "./router.js";
import { runFeed } from "./run_feed.js";
import { runView } from "./run_view.js";
import { runsView } from "./runs_view.js";
import { scheduleView } from "./schedule_view.js";
import { showView } from "./show_view.js";
import { showsView } from "./shows_view.js";
import { topView } from "./top_view.js";

const DEFAULT_VIEW = "runs";
const main = document.getElementById("main");
let current = null;

function viewFor([name = DEFAULT_VIEW, id]) {
  if (name === "runs") return id ? runView : runsView;
  if (name === "shows") return id ? showView : showsView;
  return { schedule: scheduleView, top: topView, charts: chartsView, export: exportView }[name] ?? notFoundView;
}

function notFoundView({ heading, title }) {
  title("Not found");
  return [heading, h("p", {}, "There is no page at this address. ", h("a", { href: "#/runs" }, "Go to runs"), ".")];
}

function render() {
  const route = currentRoute();
  const path = route.path.join("/");
  if (current?.path === path && current.onQueryChange) {
    current.onQueryChange(route.query);
    return;
  }
  const isFirst = current === null;
  current?.controller.abort();
  const controller = new AbortController();
  const heading = h("h1", { tabindex: "-1" });
  const title = (text) => {
    heading.textContent = text;
    document.title = `${text} · tvshows-pipeline`;
  };
  current = { path, controller };
  const onQueryChange = (listener) => { current.onQueryChange = listener; };
  main.replaceChildren(...viewFor(route.path)({ ...route, signal: controller.signal, heading, title, onQueryChange }));
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === (route.path[0] ?? DEFAULT_VIEW)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!isFirst) {
    scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  }
}

function renderConnection() {
  const banner = document.getElementById("offline");
  banner.hidden = !connection.isOffline;
  banner.textContent = connection.isOffline ? "Connection lost. Reconnecting…" : "";
  document.body.classList.toggle("is-offline", connection.isOffline);
}

function renderProgressBadge() {
  const badge = document.getElementById("progress-badge");
  const run = runFeed.active;
  badge.hidden = !run;
  badge.replaceChildren(...(run ? [h("span", { class: "visually-hidden" }, ", update in progress: "), `${run.progress}%`] : []));
}

connection.addEventListener("offline", renderConnection);
connection.addEventListener("online", () => {
  renderConnection();
  announce("Connection restored.");
});
runFeed.addEventListener("change", renderProgressBadge);
addEventListener("hashchange", render);
document.querySelector(".skip-link").addEventListener("click", (event) => {
  // The hash belongs to the router, so the focus is moved without it.
  event.preventDefault();
  main.focus();
});
render();
runFeed.start();
