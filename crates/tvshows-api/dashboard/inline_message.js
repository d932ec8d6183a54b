// The result of planning, starting or canceling a run, shown next to the button until it is outdated.

import { h } from "./dom.js";
import { toSentence } from "./format.js";
import { isActive, runFeed } from "./run_feed.js";

export class InlineMessage {
  element = h("p", { class: "message", role: "status" });
  #runId = null;
  #isQueued = false;
  #latest = null;

  constructor(signal) {
    runFeed.addEventListener("change", () => this.#clearIfOutdated(), { signal });
  }

  // Shows the `message` of the service's response, or the error.
  async showResult(response) {
    this.clear();
    this.#latest = response;
    try {
      const { message, request_id: runId } = await response;
      if (this.#latest !== response) return;
      this.#show(toSentence(message), false);
      this.#runId = runId;
      this.#isQueued = runFeed.queued.some((run) => run.request_id === runId);
      this.#clearIfOutdated();
    } catch (error) {
      if (this.#latest === response) this.#show(toSentence(error.message), true);
    }
  }

  // A message is outdated once its run has ended, or has left the queue.
  #clearIfOutdated() {
    const run = this.#runId && runFeed.find(this.#runId);
    if (!run || (isActive(run) && !(this.#isQueued && run.state === "running"))) return;
    this.clear();
  }

  clear() {
    this.#show("", false);
    this.#runId = null;
    this.#latest = null;
  }

  #show(text, isError) {
    this.element.textContent = text;
    this.element.classList.toggle("error", isError);
  }
}
