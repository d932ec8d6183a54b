// A run's current request rate: a moving average over its latest status updates.

const WINDOW_MS = 15_000;
const MIN_SPAN_MS = 500;

export class RequestRate {
  #samples = [];

  record({ updated_at: timestamp, requests }) {
    const time = Date.parse(timestamp);
    this.#samples.push({ time, requests });
    while (this.#samples.length > 2 && time - this.#samples[0].time > WINDOW_MS) this.#samples.shift();
  }

  // Null until there are enough samples.
  get perSecond() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    const span = first ? last.time - first.time : 0;
    return span < MIN_SPAN_MS ? null : Math.max(0, ((last.requests - first.requests) * 1000) / span);
  }
}
