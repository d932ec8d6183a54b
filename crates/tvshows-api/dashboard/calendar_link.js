// The address of the calendar with the current filters, to subscribe to or to copy.

import { announce, h } from "./dom.js";

export class CalendarLink {
  #address = h("input", { id: "calendar", readonly: true, spellcheck: "false" });
  #subscribe = h("a", { class: "button" }, "Subscribe");
  element = h("section", { class: "card calendar", "aria-labelledby": "calendar-title" },
    h("h2", { id: "calendar-title" }, "Calendar"),
    h("p", { class: "muted" }, "Calendar programs that subscribe to this address show the episodes that match the filters, and stay up to date."),
    h("div", { class: "calendar-address" },
      h("label", { for: "calendar", class: "visually-hidden" }, "Address of the calendar"), this.#address,
      h("button", { type: "button", click: () => this.#copy() }, "Copy"), this.#subscribe));

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
