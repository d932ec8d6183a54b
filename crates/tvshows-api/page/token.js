// The API token that a service may ask of whoever changes something. It is kept until the tab is closed.

import { h } from "./elements.js";

const KEY = "api-token";

export function authorization() {
  const token = sessionStorage.getItem(KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

// Whether one was given: asks for it, and says what was wrong with the last one.
export function askForToken(reason) {
  sessionStorage.removeItem(KEY);
  // Only these characters can stand in a header.
  const field = h("input", { type: "password", autocomplete: "off", required: true, pattern: "[!-~]+", title: "Letters, digits and signs, without blanks" });
  const cancel = h("button", { type: "button", class: "plain", click: () => dialog.close() }, "Not now");
  const form = h("form", { method: "dialog", class: "token" },
    h("h2", { id: "token" }, "API token"),
    h("p", { class: "quiet", id: "token-reason" }, reason),
    h("label", {}, h("span", {}, "Token"), field),
    h("div", { class: "token-foot" }, cancel, h("button", { value: "given" }, "Go on")));
  const dialog = h("dialog", { "aria-labelledby": "token", "aria-describedby": "token-reason" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      const isGiven = dialog.returnValue === "given";
      if (isGiven) sessionStorage.setItem(KEY, field.value);
      resolve(isGiven);
    });
  });
}
