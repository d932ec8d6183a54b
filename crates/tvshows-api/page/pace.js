// How many requests a second a run makes just now, from the last seconds of its statuses.

const WINDOW_MILLISECONDS = 15_000;
const SHORTEST_MILLISECONDS = 500;

export class Pace {
  #samples = [];

  take({ updated_at: at, requests }) {
    const time = Date.parse(at);
    this.#samples.push({ time, requests });
    while (this.#samples.length > 2 && time - this.#samples[0].time > WINDOW_MILLISECONDS) this.#samples.shift();
  }

  // Null while too little is known.
  get requestsPerSecond() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    const spent = first ? last.time - first.time : 0;
    return spent < SHORTEST_MILLISECONDS ? null : Math.max(0, ((last.requests - first.requests) * 1000) / spent);
  }
}
