// The result of a button press, shown beside the button.

import { h } from "./dom.js";
import { toSentence } from "./format.js";

export class InlineMessage {
  element = h("p", { class: "message", role: "status" });

  // Shows the `message` of the service's response, or the error.
  async showResult(response) {
    this.#show("", false);
    try {
      const { message } = await response;
      this.#show(toSentence(message), false);
    } catch (error) {
      this.#show(toSentence(error.message), true);
    }
  }

  #show(text, isError) {
    this.element.textContent = text;
    this.element.classList.toggle("error", isError);
  }
}
