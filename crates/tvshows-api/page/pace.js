// How fast a run goes just now, and whether TVmaze holds it back, from the last seconds of its statuses.

const WINDOW_MILLISECONDS = 10_000;
const SHORTEST_MILLISECONDS = 500;

export class Pace {
  #samples = [];

  take({ updated_at: at, requests, shows_seen: shows, rate_limited: refused }) {
    const time = Date.parse(at);
    this.#samples.push({ time, requests, shows, refused });
    while (this.#samples.length > 2 && time - this.#samples[0].time > WINDOW_MILLISECONDS) this.#samples.shift();
  }

  // Requests a second and shows a second; null while too little is known.
  rates() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    const spent = first ? last.time - first.time : 0;
    if (spent < SHORTEST_MILLISECONDS) return null;
    const rate = (key) => Math.max(0, ((last[key] - first[key]) * 1000) / spent);
    return { requests: rate("requests"), shows: rate("shows") };
  }

  isHeldBack() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    return first !== undefined && last.refused > first.refused;
  }
}
