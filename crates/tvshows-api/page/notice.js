// One line that tells what came of a button.

import { h } from "./elements.js";

export class Notice {
  element = h("p", { class: "notice", role: "status" });

  async tellHow(work) {
    this.#tell("", false);
    try {
      const message = await work;
      this.#tell(sentence(message), false);
    } catch (error) {
      this.#tell(sentence(error.message), true);
    }
  }

  #tell(text, isWrong) {
    this.element.textContent = text;
    this.element.classList.toggle("wrong", isWrong);
  }
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}
