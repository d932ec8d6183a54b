// One line that tells what came of a button.

import { h } from "./elements.js";

export class Notice {
  element = h("p", { class: "notice", role: "status" });

  async tellHow(work) {
    this.#tell("", false);
    try {
      const message = await work;
      this.#tell(`${message[0].toUpperCase()}${message.slice(1)}.`, false);
    } catch (error) {
      this.#tell(error.message, true);
    }
  }

  #tell(text, isWrong) {
    this.element.textContent = text;
    this.element.classList.toggle("wrong", isWrong);
  }
}
