// The address of the calendar with the current filters, to subscribe to or to copy.

import { announce, h } from "./dom.js";
import { DESKTOP } from "./show_filters.js";

export class CalendarLink {
  #address = h("input", { readonly: true, spellcheck: "false" });
  #subscribe = h("a", { class: "button" }, "Subscribe");
  element = h("details", { class: "card calendar", open: matchMedia(DESKTOP).matches },
    h("summary", {}, "Calendar"),
    h("p", { class: "muted small" }, "Calendar programs that subscribe to this address show the episodes that match the filters, and stay up to date."),
    h("label", {}, h("span", {}, "Address of the calendar"), this.#address),
    h("div", { class: "calendar-actions" }, h("button", { type: "button", click: () => this.#copy() }, "Copy"), this.#subscribe));

  update(filters) {
    // Relative to the page, which may have a path prefix.
    const url = new URL(`calendar.ics?${filters}`.replace(/\?$/, ""), document.baseURI);
    this.#address.value = url.href;
    this.#subscribe.href = url.href.replace(/^https?:/, "webcal:");
  }

  async #copy() {
    this.#address.select();
    try {
      // Undefined unless the page is from HTTPS or from this machine.
      await navigator.clipboard.writeText(this.#address.value);
      announce("Address copied.");
    } catch {
      announce("The address is selected. Copy it with the keyboard.");
    }
  }
}
