// The list of runs, kept up to date: polled, and with the active run streamed as server-sent events.

import { post, request } from "./api_client.js";
import { connection } from "./connection.js";
import { RequestRate } from "./request_rate.js";

const MAX_RUNS = 50;
const POLL_INTERVAL_MS = 15_000;
const QUEUE_POLL_INTERVAL_MS = 3000;
const RECONNECT_DELAY_MS = 1000;

export const isActive = (run) => run.state === "queued" || run.state === "running";

// Dispatches `change`, and `published` when a run succeeds.
class RunFeed extends EventTarget {
  // Newest first. Null until loaded.
  runs = null;
  nextRunAt = null;
  error = null;
  requestRate = new RequestRate();
  #stream = null;
  #timer = null;
  #latestRefresh = 0;

  start() {
    connection.addEventListener("online", () => this.refresh());
    // Browsers limit the connections per server, so a hidden tab gives up its stream.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#closeStream();
      else this.refresh();
    });
    return this.refresh();
  }

  // The running run, or else the next one in the queue.
  get active() {
    return this.runs?.find((run) => run.state === "running") ?? this.runs?.findLast((run) => run.state === "queued");
  }

  get queued() {
    return (this.runs ?? []).filter((run) => run.state === "queued" && run !== this.active);
  }

  get ended() {
    return (this.runs ?? []).filter((run) => !isActive(run));
  }

  find(id) {
    return this.runs?.find((run) => run.request_id === id);
  }

  async refresh() {
    const refresh = ++this.#latestRefresh;
    clearTimeout(this.#timer);
    try {
      const { runs, next_run_at: nextRunAt } = await request(`pipeline/runs?limit=${MAX_RUNS}`);
      if (refresh !== this.#latestRefresh) return;
      const previous = new Map((this.runs ?? []).map((run) => [run.request_id, run]));
      this.runs = runs.map((run) => newest(run, previous.get(run.request_id)));
      this.nextRunAt = nextRunAt ?? null;
      this.error = null;
      for (const run of runs) this.#notifyIfPublished(run, previous.get(run.request_id));
      this.#openStream(this.active);
    } catch (error) {
      this.error = error;
    }
    this.#notifyChange();
    this.#scheduleRefresh(this.queued.length ? QUEUE_POLL_INTERVAL_MS : POLL_INTERVAL_MS);
  }

  #scheduleRefresh(delay) {
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => this.refresh(), delay);
  }

  startUpdate(parameters) {
    return this.#post(`pipeline/update?${parameters}`);
  }

  cancel(run) {
    return this.#post(`pipeline/cancel/${run.request_id}`);
  }

  async #post(path) {
    const response = await post(path);
    await this.refresh();
    return response;
  }

  #notifyChange() {
    this.dispatchEvent(new Event("change"));
  }

  #notifyIfPublished(run, previous) {
    if (run.state === "succeeded" && previous && previous.state !== "succeeded") this.dispatchEvent(new Event("published"));
  }

  #openStream(run) {
    if (document.hidden || this.#stream?.run === run?.request_id) return;
    this.#closeStream();
    if (!run) return;
    this.requestRate = new RequestRate();
    const source = new EventSource(`pipeline/status/${run.request_id}/events`);
    this.#stream = { run: run.request_id, source };
    source.onmessage = ({ data }) => this.#onStatus(JSON.parse(data).status);
    source.onerror = () => {
      this.#closeStream();
      // Either the service stopped or a proxy closed the connection.
      connection.check();
      this.#scheduleRefresh(RECONNECT_DELAY_MS);
    };
  }

  #closeStream() {
    this.#stream?.source.close();
    this.#stream = null;
  }

  #onStatus(status) {
    const previous = this.find(status.request_id);
    this.runs = this.runs.map((run) => (run === previous ? newest(status, run) : run));
    this.requestRate.record(status);
    if (!isActive(status)) {
      this.#closeStream();
      this.#notifyIfPublished(status, previous);
      this.refresh();
    }
    this.#notifyChange();
  }
}

function newest(status, known) {
  return known && known.revision > status.revision ? known : status;
}

export const runFeed = new RunFeed();
