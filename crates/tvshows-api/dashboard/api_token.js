// The API token that the service may require to start or cancel updates. It is stored until the tab is closed.

import { h } from "./dom.js";

const STORAGE_KEY = "api-token";

export function authorizationHeader() {
  const token = sessionStorage.getItem(STORAGE_KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

// Resolves to whether the user entered a token.
export function promptForToken({ isRejected }) {
  sessionStorage.removeItem(STORAGE_KEY);
  const reason = isRejected ? "Invalid API token. Try again."
    : "This service requires an API token to plan, start, or cancel updates. Its operator sets the token as API_TOKEN.";
  // Other characters are not allowed in an HTTP header.
  const field = h("input", { type: "password", autocomplete: "off", required: true, pattern: "[!-~]+", title: "Letters, digits and punctuation, without spaces" });
  const cancel = h("button", { type: "button", class: "plain", click: () => dialog.close() }, "Cancel");
  const form = h("form", { method: "dialog", class: "token" },
    h("h2", { id: "token" }, "API token"),
    h("p", { class: "muted", id: "token-reason" }, reason),
    h("label", {}, h("span", {}, "Token"), field),
    h("div", { class: "token-actions" }, cancel, h("button", { value: "submit" }, "Continue")));
  const dialog = h("dialog", { "aria-labelledby": "token", "aria-describedby": "token-reason" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      const isSubmitted = dialog.returnValue === "submit";
      if (isSubmitted) sessionStorage.setItem(STORAGE_KEY, field.value);
      resolve(isSubmitted);
    });
  });
}
