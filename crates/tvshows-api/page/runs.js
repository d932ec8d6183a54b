// The runs as they are now: the list, asked for now and then, and the run under way, followed as a stream.

import { connection } from "./connection.js";
import { Pace } from "./pace.js";
import { ask, order } from "./service.js";

const KEPT = 50;
const IDLE_MILLISECONDS = 15_000;
const WAITING_MILLISECONDS = 3000;
const CUT_MILLISECONDS = 1000;

export const isLive = (run) => run.state === "queued" || run.state === "running";

class Runs extends EventTarget {
  // Newest first; null before the first answer.
  list = null;
  nextRunAt = null;
  error = null;
  pace = new Pace();
  #stream = null;
  #timer = null;
  #asked = 0;

  begin() {
    connection.addEventListener("found", () => this.refresh());
    // A browser keeps few connections to a server: a page that nobody sees must not hold one.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#leave();
      else this.refresh();
    });
    return this.refresh();
  }

  // The run under way, else the one that is next.
  get live() {
    return this.list?.find((run) => run.state === "running") ?? this.list?.findLast((run) => run.state === "queued");
  }

  get waiting() {
    return (this.list ?? []).filter((run) => run.state === "queued" && run !== this.live);
  }

  get ended() {
    return (this.list ?? []).filter((run) => !isLive(run));
  }

  // The run with this id, where the list has it.
  find(id) {
    return this.list?.find((run) => run.request_id === id);
  }

  async refresh() {
    const asked = ++this.#asked;
    clearTimeout(this.#timer);
    try {
      const { runs, next_run_at: next } = await ask(`pipeline/runs?limit=${KEPT}`);
      // A later question knows more.
      if (asked !== this.#asked) return;
      const known = new Map((this.list ?? []).map((run) => [run.request_id, run]));
      this.list = runs.map((run) => newer(run, known.get(run.request_id)));
      this.nextRunAt = next ?? null;
      this.error = null;
      for (const run of runs) this.#tellPublished(run, known.get(run.request_id));
      this.#follow(this.live);
    } catch (error) {
      this.error = error;
    }
    this.#change();
    this.#refreshAfter(this.waiting.length ? WAITING_MILLISECONDS : IDLE_MILLISECONDS);
  }

  #refreshAfter(milliseconds) {
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => this.refresh(), milliseconds);
  }

  // Asks for a run. Gives what the service says to that.
  start(query) {
    return this.#order(`pipeline/update?${query}`);
  }

  cancel(run) {
    return this.#order(`pipeline/cancel/${run.request_id}`);
  }

  async #order(path) {
    const { message } = await order(path);
    await this.refresh();
    return message;
  }

  #change() {
    this.dispatchEvent(new Event("change"));
  }

  #tellPublished(run, before) {
    if (run.state === "succeeded" && before && before.state !== "succeeded") this.dispatchEvent(new Event("published"));
  }

  #follow(run) {
    if (document.hidden || this.#stream?.run === run?.request_id) return;
    this.#leave();
    if (!run) return;
    this.pace = new Pace();
    const source = new EventSource(`pipeline/status/${run.request_id}/events`);
    this.#stream = { run: run.request_id, source };
    source.onmessage = ({ data }) => this.#take(JSON.parse(data).status);
    source.onerror = () => {
      this.#leave();
      // The stream ends with the service, or when something between cut it: the answer tells which.
      connection.check();
      this.#refreshAfter(CUT_MILLISECONDS);
    };
  }

  #leave() {
    this.#stream?.source.close();
    this.#stream = null;
  }

  #take(status) {
    const before = this.find(status.request_id);
    this.list = this.list.map((run) => (run === before ? newer(status, run) : run));
    this.pace.take(status);
    if (!isLive(status)) {
      this.#leave();
      this.#tellPublished(status, before);
      this.refresh();
    }
    this.#change();
  }
}

function newer(one, other) {
  return other && other.revision > one.revision ? other : one;
}

export const runs = new Runs();
