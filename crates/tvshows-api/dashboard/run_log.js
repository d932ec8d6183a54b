// The log lines of a run, in a region that scrolls. It follows the newest line unless the user has scrolled up.

import { request } from "./api_client.js";
import { h } from "./dom.js";
import { pluralize } from "./format.js";

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export class RunLog {
  #id;
  #signal;
  #isLoading = false;
  #key = null;
  #omitted = h("p", { class: "muted", hidden: true });
  #lines = h("ol");
  #region = h("div", { class: "run-log", role: "region", "aria-label": "Log lines", tabindex: "0", hidden: true }, this.#lines);
  #empty = h("p", { class: "muted" }, "No log lines are available. A service has those of its last runs until it is restarted.");
  element = h("section", { class: "card run-log-card", "aria-labelledby": "run-log" },
    h("h2", { id: "run-log" }, "Log"), this.#omitted, this.#region, this.#empty);

  constructor(id, signal) {
    this.#id = id;
    this.#signal = signal;
  }

  // Skipped while the previous request is in flight. Errors are shown by the rest of the page.
  async refresh() {
    if (this.#isLoading || document.hidden) return;
    this.#isLoading = true;
    try {
      this.#render(await request(`pipeline/status/${encodeURIComponent(this.#id)}/log`, { signal: this.#signal }));
    } catch {
      // The next refresh may succeed.
    } finally {
      this.#isLoading = false;
    }
  }

  #render({ lines, omitted }) {
    const key = `${omitted} ${lines.length}`;
    if (key === this.#key) return;
    this.#key = key;
    const isAtEnd = this.#region.scrollHeight - this.#region.scrollTop - this.#region.clientHeight < 8;
    this.#lines.replaceChildren(...lines.map(line));
    this.#omitted.textContent = `${pluralize(omitted, "earlier line")} not shown`;
    this.#omitted.hidden = !omitted;
    this.#region.hidden = !lines.length;
    this.#empty.hidden = lines.length > 0;
    if (isAtEnd) this.#region.scrollTop = this.#region.scrollHeight;
  }
}

function line({ at, level, message }) {
  return h("li", { class: `level-${level.toLowerCase()}` },
    h("time", { datetime: at }, time.format(new Date(at))), " ", h("span", { class: "level" }, level), " ", message);
}
